package dev.sluice.rollout.engine;

import dev.sluice.sglang.Loads;

/**
 * How full an engine's cache is.
 *
 * @param cacheUse share of the cache in use on the fullest rank, 0 to 1
 * @param waiting requests that wait for room in it
 */
public record Pressure(double cacheUse, int waiting) {
    static Pressure of(Loads loads) {
        return new Pressure(
                loads.loads().stream().mapToDouble(Loads.Load::tokenUsage).max().orElse(0),
                loads.loads().stream().mapToInt(Loads.Load::numWaitingReqs).sum());
    }
}
