package dev.sluice.events;

/**
 * A fact or a request that crosses a topic. The record's simple name is its type on the wire ({@code
 * dev.sluice.<name>.v1}), so a record is never renamed; within v1 only fields with a default are added.
 */
public sealed interface Event
        permits RunRequest,
                RunEvent,
                InstanceSnapshot,
                CheckpointEvent,
                GroupTask,
                GroupEvent,
                WeightEvent,
                EngineEvent,
                TrainingEvent,
                MetricPoint {

    /** The run this event belongs to; the subject of the CloudEvent. Empty only for {@link InstanceSnapshot}. */
    String runId();

    /** The record key, which decides the partition. */
    default String key() {
        return runId();
    }

    /** The CloudEvents type of an event class. */
    static String typeOf(Class<? extends Event> event) {
        return "dev.sluice." + event.getSimpleName() + ".v1";
    }
}
