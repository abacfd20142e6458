package dev.sluice.planner.broken;

import dev.sluice.trainer.broken.Trains;
import org.apache.kafka.common.TopicPartition;

/** Breaks two walls, for the test of the walls. */
public record UsesTrainer(Trains trainer, TopicPartition partition) {}
