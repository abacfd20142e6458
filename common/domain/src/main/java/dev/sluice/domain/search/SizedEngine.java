package dev.sluice.domain.search;

import dev.sluice.domain.candidate.EngineSide;
import dev.sluice.domain.cost.RolloutTime;
import dev.sluice.domain.memory.EngineMemory;
import java.util.Comparator;

/**
 * A way to sample with what it needs.
 *
 * @param nodes that one engine lies on
 * @param speculationGain how much faster decoding is with speculation than without; 1 where it is off
 */
public record SizedEngine(EngineSide engine, int nodes, EngineMemory memory, RolloutTime time, double speculationGain) {
    /** Among engines that are predicted equally fast: the simplest, then the one with most room for tokens. */
    static final Comparator<SizedEngine> PREFERENCE = Comparator.comparingInt(
                    (SizedEngine sized) -> sized.engine().redundantExperts())
            .thenComparingInt(sized -> sized.engine().allToAll() ? 1 : 0)
            .thenComparingInt(SizedEngine::nodes)
            .thenComparingInt(sized -> sized.engine().ep())
            .thenComparing(
                    Comparator.comparingLong(SizedEngine::cacheTokensPerGpu).reversed());

    private long cacheTokensPerGpu() {
        int ranks = engine.dpAttention() ? engine.dp() : 1;
        return memory.cacheTokens() * ranks / engine.gpus();
    }

    @Override
    public String toString() {
        return "engines of %d GPUs, TP%d DP%d EP%d".formatted(engine.gpus(), engine.tp(), engine.dp(), engine.ep());
    }
}
