package dev.sluice.rollout.engine;

import dev.sluice.events.WeightEvent.Phase;
import dev.sluice.sglang.MemoryTag;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;

/**
 * Where an engine is in its life. Each state has its own legal moves; any other move throws.
 *
 * <pre>
 * Launching -> Loading -> Warming -> Ready <-> Suspect
 *                 |  |       ^         |
 *                 |  +--> Following    |
 *                 |          |     Quiescing
 *                 |          |         |
 *                 +---> Updating <-----+
 *                          |
 *                          +--> Ready
 * Loading, Quiescing, AwaitingWeights -> HandingOver -> Paused -> HandingOver, Updating
 * Loading, Quiescing -> AwaitingWeights -> HandingOver, Updating
 * every state -> Draining -> Dead, every state -> Dead
 * </pre>
 */
public sealed interface EngineState {
    Instant since();

    /** How long the engine may stay in this state; none where it may stay for ever. */
    Optional<Duration> deadline(EngineDeadlines deadlines);

    /** The operating system has started the process. */
    default Loading started(Instant now) {
        throw illegal("started");
    }

    /** It is not the process of its engine that answers requests. */
    default Following follow(Instant now) {
        throw illegal("follow");
    }

    /** It answers and holds the version that it needs: now it must show that it can generate. */
    default Warming warm(int version, Instant now) {
        throw illegal("warm with version " + version);
    }

    /** It has generated, or has done so before, and holds the version that it needs. */
    default Ready ready(int version, Instant now) {
        throw illegal("ready with version " + version);
    }

    /** A newer version is to be loaded: no new work until then. */
    default Quiescing quiesce(int version, Instant now) {
        throw illegal("quiesce for version " + version);
    }

    /** Nothing runs any more: the version is loaded now. */
    default Updating update(int version, Instant now) {
        throw illegal("update to version " + version);
    }

    /** It is to do what a phase asks, after which so much of its memory is released. */
    default HandingOver handOver(Phase phase, Set<MemoryTag> released, Instant now) {
        throw illegal("hand over for " + phase);
    }

    /** Nothing but the worker can give it the weights that it needs. */
    default AwaitingWeights awaitWeights(Instant now) {
        throw illegal("await weights");
    }

    /** A health check failed. */
    default Suspect suspect(String reason, Instant now) {
        throw illegal("suspect: " + reason);
    }

    /** It is to end in order. */
    default Draining drain(String reason, Instant now) {
        return new Draining(reason, now);
    }

    /** The process is gone, or is being killed. */
    default Dead die(String reason, Instant now) {
        return new Dead(reason, now);
    }

    /** Whether it holds this version now and keeps it until it is told otherwise. */
    default boolean holds(int version) {
        return switch (this) {
            case Warming warming -> warming.version() == version;
            case Ready ready -> ready.version() == version;
            case Quiescing quiescing -> quiescing.version() == version;
            case Suspect suspect -> suspect.version() == version;
            case Launching launching -> false;
            case Following following -> false;
            case Loading loading -> false;
            case Updating updating -> false;
            case HandingOver handingOver -> false;
            case Paused paused -> false;
            case AwaitingWeights awaiting -> false;
            case Draining draining -> false;
            case Dead dead -> false;
        };
    }

    /** The version that it answers with now; none where it does not serve. */
    default OptionalInt served() {
        return switch (this) {
            case Ready ready -> OptionalInt.of(ready.version());
            case Suspect suspect -> OptionalInt.of(suspect.version());
            case Launching launching -> OptionalInt.empty();
            case Loading loading -> OptionalInt.empty();
            case Following following -> OptionalInt.empty();
            case Warming warming -> OptionalInt.empty();
            case Quiescing quiescing -> OptionalInt.empty();
            case Updating updating -> OptionalInt.empty();
            case HandingOver handingOver -> OptionalInt.empty();
            case Paused paused -> OptionalInt.empty();
            case AwaitingWeights awaiting -> OptionalInt.empty();
            case Draining draining -> OptionalInt.empty();
            case Dead dead -> OptionalInt.empty();
        };
    }

    default String name() {
        return getClass().getSimpleName();
    }

    private IllegalStateException illegal(String move) {
        return new IllegalStateException("an engine that is " + this + " cannot make the move '" + move + "'");
    }

    /** The process is being started. */
    record Launching(Instant since) implements EngineState {
        @Override
        public Optional<Duration> deadline(EngineDeadlines deadlines) {
            return Optional.of(deadlines.start());
        }

        @Override
        public Loading started(Instant now) {
            return new Loading(now);
        }
    }

    /** The process runs and loads the source weights. */
    record Loading(Instant since) implements EngineState {
        @Override
        public Optional<Duration> deadline(EngineDeadlines deadlines) {
            return Optional.of(deadlines.start());
        }

        @Override
        public Warming warm(int version, Instant now) {
            return new Warming(version, now);
        }

        @Override
        public Following follow(Instant now) {
            return new Following(now);
        }

        @Override
        public Updating update(int version, Instant now) {
            return new Updating(0, version, now);
        }

        @Override
        public HandingOver handOver(Phase phase, Set<MemoryTag> released, Instant now) {
            return new HandingOver(0, phase, Set.of(), released, now);
        }

        @Override
        public AwaitingWeights awaitWeights(Instant now) {
            return new AwaitingWeights(0, now);
        }
    }

    /** A process of an engine of several nodes that does what its first one says; its end is all that can be seen of it. */
    record Following(Instant since) implements EngineState {
        @Override
        public Optional<Duration> deadline(EngineDeadlines deadlines) {
            return Optional.empty();
        }
    }

    /** It holds this version and generates for the first time; only then it takes work. */
    record Warming(int version, Instant since) implements EngineState {
        @Override
        public Optional<Duration> deadline(EngineDeadlines deadlines) {
            // A generation, then a fingerprint of the weights.
            return Optional.of(deadlines.warm().multipliedBy(2));
        }

        @Override
        public Ready ready(int held, Instant now) {
            return new Ready(version, now);
        }
    }

    /** It takes work and holds this version. */
    record Ready(int version, Instant since) implements EngineState {
        @Override
        public Optional<Duration> deadline(EngineDeadlines deadlines) {
            return Optional.empty();
        }

        @Override
        public Quiescing quiesce(int newer, Instant now) {
            return new Quiescing(version, newer, now);
        }

        @Override
        public Suspect suspect(String reason, Instant now) {
            return new Suspect(version, 1, reason, now);
        }
    }

    /** It takes no new work; what runs may finish for a short time before a newer version is loaded or it pauses for a phase. */
    record Quiescing(int version, int to, Instant since) implements EngineState {
        @Override
        public Optional<Duration> deadline(EngineDeadlines deadlines) {
            return Optional.of(deadlines.quiesce());
        }

        @Override
        public Updating update(int newest, Instant now) {
            return new Updating(version, newest, since);
        }

        /** What it took no work for is over. */
        @Override
        public Ready ready(int held, Instant now) {
            return new Ready(version, now);
        }

        @Override
        public HandingOver handOver(Phase phase, Set<MemoryTag> released, Instant now) {
            return new HandingOver(version, phase, Set.of(), released, since);
        }

        @Override
        public AwaitingWeights awaitWeights(Instant now) {
            return new AwaitingWeights(version, now);
        }
    }

    /** It loads a version; {@code since} counts from the moment it took no more work. */
    record Updating(int from, int to, Instant since) implements EngineState {
        @Override
        public Optional<Duration> deadline(EngineDeadlines deadlines) {
            return Optional.of(deadlines.quiesce().plus(deadlines.weightLoad()));
        }

        @Override
        public Warming warm(int version, Instant now) {
            requireTarget(version);
            return new Warming(version, now);
        }

        @Override
        public Ready ready(int version, Instant now) {
            requireTarget(version);
            return new Ready(version, now);
        }

        private void requireTarget(int version) {
            if (version != to) {
                throw new IllegalStateException("an engine that is " + this + " came back with version " + version);
            }
        }
    }

    /**
     * It pauses, and gives memory back or takes it again.
     *
     * @param version that it held before
     * @param before memory that was released before
     * @param released memory that is released after it
     */
    record HandingOver(int version, Phase phase, Set<MemoryTag> before, Set<MemoryTag> released, Instant since)
            implements EngineState {
        @Override
        public Optional<Duration> deadline(EngineDeadlines deadlines) {
            return Optional.of(deadlines.quiesce().plus(deadlines.weightLoad()));
        }

        Paused paused(Instant now) {
            return new Paused(version, phase, released, phase == Phase.TRAIN ? now : since);
        }
    }

    /**
     * It stands still as a phase asks, for as long as its trainer says: {@code since} counts for SYNC from the moment it took no
     * more work.
     *
     * @param version that it held before
     * @param released memory that is released, and nothing else may be taken again
     */
    record Paused(int version, Phase phase, Set<MemoryTag> released, Instant since) implements EngineState {
        @Override
        public Optional<Duration> deadline(EngineDeadlines deadlines) {
            return Optional.empty();
        }

        @Override
        public HandingOver handOver(Phase next, Set<MemoryTag> then, Instant now) {
            return new HandingOver(version, next, released, then, now);
        }

        /** The time of training is no time of an update. */
        @Override
        public Updating update(int newest, Instant now) {
            return new Updating(version, newest, phase == Phase.TRAIN ? now : since);
        }
    }

    /** It lives, but what it holds is too old, and newer weights have no files: its trainer sends them, whenever it can. */
    record AwaitingWeights(int version, Instant since) implements EngineState {
        @Override
        public Optional<Duration> deadline(EngineDeadlines deadlines) {
            return Optional.empty();
        }

        @Override
        public Updating update(int newest, Instant now) {
            return new Updating(version, newest, now);
        }

        @Override
        public HandingOver handOver(Phase phase, Set<MemoryTag> released, Instant now) {
            return new HandingOver(version, phase, Set.of(), released, now);
        }
    }

    /** It takes no new work until a health check succeeds; after a few failures in a row it is replaced. */
    record Suspect(int version, int failures, String reason, Instant since) implements EngineState {
        @Override
        public Optional<Duration> deadline(EngineDeadlines deadlines) {
            return Optional.of(deadlines.suspect());
        }

        @Override
        public Ready ready(int held, Instant now) {
            return new Ready(version, now);
        }

        @Override
        public Suspect suspect(String newest, Instant now) {
            return new Suspect(version, failures + 1, newest, since);
        }

        @Override
        public Quiescing quiesce(int newer, Instant now) {
            return new Quiescing(version, newer, now);
        }
    }

    /** It is being stopped in order. */
    record Draining(String reason, Instant since) implements EngineState {
        @Override
        public Optional<Duration> deadline(EngineDeadlines deadlines) {
            return Optional.of(deadlines.stop());
        }
    }

    /** The end. */
    record Dead(String reason, Instant since) implements EngineState {
        @Override
        public Optional<Duration> deadline(EngineDeadlines deadlines) {
            return Optional.empty();
        }

        @Override
        public Draining drain(String otherReason, Instant now) {
            throw new IllegalStateException("a dead engine cannot drain: " + reason);
        }
    }
}
