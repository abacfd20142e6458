package dev.sluice.rollout.engine;

import dev.sluice.events.WeightEvent.Phase;
import dev.sluice.events.WeightEvent.PhaseChanged;
import dev.sluice.sglang.MemoryTag;
import java.util.EnumSet;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** What a run's trainer asks of its engines' GPUs: the newest phase counts, and before the first they work. Used on the core's thread. */
public final class RunPhases {
    private final boolean colocated;
    private @Nullable PhaseChanged newest;
    private int told;

    /** @param colocated whether engines take turns with training on their GPUs */
    public RunPhases(boolean colocated) {
        this.colocated = colocated;
    }

    /** Takes a phase; false where it is older than what is known: of an older epoch, or of this one with a lower number. */
    public boolean changed(PhaseChanged event) {
        PhaseChanged known = newest;
        if (known != null
                && (event.epoch() < known.epoch()
                        || event.epoch() == known.epoch() && event.number() <= known.number())) {
            return false;
        }
        newest = event;
        told = 0;
        return true;
    }

    Phase asked() {
        return newest == null ? Phase.GENERATE : newest.phase();
    }

    /** Number of the newest phase; 0 before the first. */
    int number() {
        return newest == null ? 0 : newest.number();
    }

    /** The version that engines go on with; of the source while nothing was asked. */
    int version() {
        return newest == null ? 0 : newest.weightVersion();
    }

    /** Whether the worker has put the version into an engine. */
    boolean sentTo(String engineId) {
        return newest != null && newest.engines().contains(engineId);
    }

    /** Whether engines may be started: a start takes memory that another may have now. */
    boolean launches() {
        return asked() == Phase.GENERATE;
    }

    /** Whether GPUs are shared now, so that no engine may be left out. */
    boolean needsEveryEngine() {
        return !released().isEmpty();
    }

    /** Memory that engines release for the newest phase. */
    Set<MemoryTag> released() {
        return switch (asked()) {
            case TRAIN -> EnumSet.allOf(MemoryTag.class);
            case SYNC -> colocated ? EnumSet.of(MemoryTag.KV_CACHE, MemoryTag.CUDA_GRAPH) : Set.of();
            case GENERATE -> Set.of();
        };
    }

    /** Whether an engine that works has to stop. One that comes when the others were announced to the worker comes too late. */
    boolean standStill() {
        return asked() != Phase.GENERATE && (needsEveryEngine() || told == 0);
    }

    /** Whether this instance has said that the newest phase is reached. */
    boolean isTold() {
        return told > 0;
    }

    void tell() {
        told++;
    }
}
