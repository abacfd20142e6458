package dev.sluice.trainer.loop;

import dev.sluice.kafka.KafkaConnection;
import dev.sluice.trainer.TrainerConfig;
import dev.sluice.trainer.dispatch.RolloutPool;
import dev.sluice.trainer.dispatch.TaskSender;
import dev.sluice.trainer.metrics.TrainerMeters;
import java.nio.file.Path;
import java.time.Clock;
import java.util.List;

/**
 * What the runs of a service share.
 *
 * @param instanceId of this service
 * @param roots directories that a worker may use, the data root first
 */
public record Parts(
        String instanceId,
        KafkaConnection connection,
        TrainerConfig config,
        RolloutPool pool,
        TaskSender tasks,
        List<Path> roots,
        TrainerMeters meters,
        Clock clock) {}
