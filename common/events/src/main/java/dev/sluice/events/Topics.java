package dev.sluice.events;

import dev.sluice.events.CheckpointEvent.CheckpointConverted;
import dev.sluice.events.CheckpointEvent.CheckpointExported;
import dev.sluice.events.CheckpointEvent.ConversionFailed;
import dev.sluice.events.CheckpointEvent.ConversionProgressed;
import dev.sluice.events.CheckpointEvent.ConversionStarted;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Function;
import java.util.stream.Collectors;

/** Every topic: the only place where its name, key, partitions, retention, kind of reading and events are written. */
public enum Topics {
    RUN_REQUESTS(
            "sluice.runs.requests.v1",
            "any client",
            Key.RUN,
            1,
            Retention.forEver(),
            Reading.WORK,
            List.of(
                    RunRequest.TrainingRequested.class,
                    RunRequest.CancellationRequested.class,
                    RunRequest.ContinuationRequested.class)),
    RUN_EVENTS(
            "sluice.runs.events.v1",
            "the active planner",
            Key.RUN,
            4,
            Retention.forEver(),
            Reading.STATE,
            List.of(
                    RunEvent.RunPlanned.class,
                    RunEvent.RunRejected.class,
                    RunEvent.RunQueued.class,
                    RunEvent.RunAssigned.class,
                    RunEvent.RunStarted.class,
                    RunEvent.RunStopping.class,
                    RunEvent.RunSucceeded.class,
                    RunEvent.RunFailed.class,
                    RunEvent.RunCancelled.class)),
    INSTANCES(
            "sluice.instances.state.v1",
            "rollout and trainer instances",
            Key.INSTANCE,
            4,
            Retention.compacted(),
            Reading.STATE,
            List.of(InstanceSnapshot.class)),
    CHECKPOINTS(
            "sluice.checkpoints.events.v1",
            "converter",
            Key.RUN,
            4,
            Retention.forEver(),
            Reading.STATE,
            List.of(
                    ConversionStarted.class,
                    ConversionProgressed.class,
                    CheckpointConverted.class,
                    CheckpointExported.class,
                    ConversionFailed.class)),
    GROUP_TASKS(
            "sluice.groups.tasks.v1",
            "the run's trainer",
            Key.INSTANCE,
            64,
            Retention.of(Duration.ofDays(7)),
            Reading.ADDRESSED,
            List.of(GroupTask.GroupRequested.class, GroupTask.GroupWithdrawn.class)),
    GROUP_EVENTS(
            "sluice.groups.events.v1",
            "rollout instances; a resumed run's trainer what it takes over",
            Key.RUN,
            16,
            Retention.trimmed(),
            Reading.STATE,
            List.of(
                    GroupEvent.GroupStarted.class,
                    GroupEvent.SamplesParked.class,
                    GroupEvent.GroupSampled.class,
                    GroupEvent.GroupScored.class,
                    GroupEvent.GroupAbandoned.class)),
    WEIGHTS(
            "sluice.weights.events.v1",
            "the run's trainer",
            Key.RUN,
            4,
            Retention.forEver(),
            Reading.STATE,
            List.of(
                    WeightEvent.WeightsPublished.class,
                    WeightEvent.WeightsRetired.class,
                    WeightEvent.PhaseChanged.class)),
    ENGINES(
            "sluice.engines.events.v1",
            "rollout instances",
            Key.ENGINE,
            4,
            Retention.of(Duration.ofDays(30)),
            Reading.STATE,
            List.of(
                    EngineEvent.EngineStarted.class,
                    EngineEvent.EngineReady.class,
                    EngineEvent.WeightsLoaded.class,
                    EngineEvent.EngineWorked.class,
                    EngineEvent.EngineUnhealthy.class,
                    EngineEvent.EngineQuarantined.class,
                    EngineEvent.EngineFellBack.class,
                    EngineEvent.PhaseReached.class,
                    EngineEvent.EngineStopped.class)),
    TRAINING(
            "sluice.training.events.v1",
            "the run's trainer",
            Key.RUN,
            16,
            Retention.forEver(),
            Reading.STATE,
            List.of(
                    TrainingEvent.TrainerReady.class,
                    TrainingEvent.BatchFormed.class,
                    TrainingEvent.StepCompleted.class,
                    TrainingEvent.EvalCompleted.class,
                    TrainingEvent.RolloutFinished.class,
                    TrainingEvent.CheckpointAdopted.class,
                    TrainingEvent.CheckpointSaved.class,
                    TrainingEvent.CheckpointRetired.class,
                    TrainingEvent.WaitChanged.class,
                    TrainingEvent.WorkerWorked.class,
                    TrainingEvent.WorkerFellBack.class,
                    TrainingEvent.GuardTripped.class,
                    TrainingEvent.GuardReleased.class,
                    TrainingEvent.RolledBack.class,
                    TrainingEvent.TrainerLost.class)),
    METRICS(
            "sluice.metrics.points.v1",
            "all services",
            Key.RUN,
            4,
            Retention.of(Duration.ofDays(30)),
            Reading.PROJECTION,
            List.of(MetricPoint.class)),
    DEAD_LETTERS(
            "sluice.dead-letters.v1",
            "readers",
            Key.ORIGINAL,
            1,
            Retention.of(Duration.ofDays(30)),
            Reading.PROJECTION,
            List.of());

    private static final Map<Class<? extends Event>, Topics> BY_EVENT = Arrays.stream(values())
            .flatMap(topic -> topic.events.stream().map(event -> Map.entry(event, topic)))
            .collect(Collectors.toUnmodifiableMap(Map.Entry::getKey, Map.Entry::getValue));
    private static final Map<String, Class<? extends Event>> BY_TYPE =
            BY_EVENT.keySet().stream().collect(Collectors.toUnmodifiableMap(Event::typeOf, Function.identity()));

    private final String topicName;
    private final String writer;
    private final Key key;
    private final int partitions;
    private final Retention retention;
    private final Reading reading;
    private final List<Class<? extends Event>> events;

    Topics(
            String topicName,
            String writer,
            Key key,
            int partitions,
            Retention retention,
            Reading reading,
            List<Class<? extends Event>> events) {
        this.topicName = topicName;
        this.writer = writer;
        this.key = key;
        this.partitions = partitions;
        this.retention = retention;
        this.reading = reading;
        this.events = events;
    }

    /** The topic an event belongs to. */
    public static Topics of(Event event) {
        Topics topic = BY_EVENT.get(event.getClass());
        if (topic == null) {
            throw new IllegalStateException(event.getClass().getName() + " is listed in no topic");
        }
        return topic;
    }

    /** The event class of a CloudEvents type, or null where this build does not know it. */
    public static @org.jspecify.annotations.Nullable Class<? extends Event> eventOfType(String cloudEventsType) {
        return BY_TYPE.get(cloudEventsType);
    }

    public String topicName() {
        return topicName;
    }

    /** Who may write it, for people. */
    public String writer() {
        return writer;
    }

    public Key key() {
        return key;
    }

    public int partitions() {
        return partitions;
    }

    public Retention retention() {
        return retention;
    }

    public Reading reading() {
        return reading;
    }

    public List<Class<? extends Event>> events() {
        return events;
    }

    /** What a record's key is. */
    public enum Key {
        RUN,
        INSTANCE,
        ENGINE,
        ORIGINAL
    }

    /** How a topic is read. */
    public enum Reading {
        /** Everybody reads everything from the beginning, without a consumer group. */
        STATE,
        /** A consumer group; offsets are committed after the resulting event is acknowledged. */
        WORK,
        /** An instance reads the partition its id hashes to, from the end it saw before it announced itself. */
        ADDRESSED,
        /** Read from the beginning into figures that are built anew at each start. */
        PROJECTION
    }

    /**
     * How long records are kept.
     *
     * @param time the least time; null where {@code policy} is not {@link Policy#TIME}
     */
    public record Retention(
            Policy policy,
            @org.jspecify.annotations.Nullable Duration time) {
        /** What decides when a record goes. */
        public enum Policy {
            FOREVER,
            /** Until no run can need it: the planner deletes below the oldest kept cut of every run. */
            TRIMMED,
            TIME,
            /** Only the newest record of a key is kept. */
            COMPACTED
        }

        static Retention forEver() {
            return new Retention(Policy.FOREVER, null);
        }

        static Retention trimmed() {
            return new Retention(Policy.TRIMMED, null);
        }

        static Retention compacted() {
            return new Retention(Policy.COMPACTED, null);
        }

        static Retention of(Duration time) {
            return new Retention(Policy.TIME, time);
        }

        /** For people. */
        @Override
        public String toString() {
            return switch (policy) {
                case FOREVER -> "for ever";
                case TRIMMED -> "while a run needs it";
                case TIME -> Objects.requireNonNull(time).toDays() + " days";
                case COMPACTED -> "newest of a key";
            };
        }

        public boolean compact() {
            return policy == Policy.COMPACTED;
        }
    }
}
