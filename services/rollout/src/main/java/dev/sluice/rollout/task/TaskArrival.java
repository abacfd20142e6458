package dev.sluice.rollout.task;

import dev.sluice.events.Event;
import dev.sluice.kafka.EventRecord;
import java.time.Instant;
import java.util.UUID;

/**
 * How a task came here.
 *
 * @param cause id of the record that has it
 * @param published when its trainer gave it to the producer, by the trainer's clock
 * @param polled when this instance's reader had it
 */
public record TaskArrival(UUID cause, Instant published, Instant polled) {
    public static TaskArrival of(EventRecord<? extends Event> record, Instant polled) {
        return new TaskArrival(record.id(), record.time(), polled);
    }
}
