package dev.sluice.domain.constraint;

import dev.sluice.domain.candidate.EngineSide;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The ranks that SGLang really makes of an engine's GPUs, after what it overrides by itself.
 *
 * @param tp GPUs of one pipeline stage
 * @param dp groups of them that attend on their own; more than one always means DP attention, since the planner writes
 *     the flag where it lacks (S02)
 * @param ep expert-parallel ranks; all of {@code tp} with an all-to-all backend (S09)
 */
record EngineRanks(int tp, int dp, int ep) {
    /** Backends that set ep to tp: SGLang arg_groups/overrides.py {@code _A2A_EP_SPANNING_BACKENDS} (0.5.15). */
    private static final Set<String> SPANNING =
            Set.of("deepep", "mooncake", "nixl", "mori", "ascend_fuseep", "flashinfer", "megamoe");

    /** Null where the GPUs form no pipeline stages: S16 says so, and whatever followed from it would mislead. */
    static @Nullable EngineRanks of(EngineSide engine) {
        if (engine.gpus() < 1 || engine.pp() < 1 || engine.gpus() % engine.pp() != 0) {
            return null;
        }
        int tp = engine.gpus() / engine.pp();
        return new EngineRanks(tp, engine.dp(), spansAllRanks(engine) ? tp : engine.ep());
    }

    static boolean spansAllRanks(EngineSide engine) {
        return SPANNING.contains(engine.a2aBackend());
    }

    /** Whether {@link #attentionTp} is a whole number (S01). */
    boolean attentionSplits() {
        return dp >= 1 && tp % dp == 0;
    }

    /** GPUs that share one set of attention heads. */
    int attentionTp() {
        return tp / dp;
    }

    /** Whether {@link #expertTp} is a whole number (S07). */
    boolean expertsSplit() {
        return ep >= 1 && tp % ep == 0;
    }

    /** GPUs that share one expert. */
    int expertTp() {
        return tp / ep;
    }
}
