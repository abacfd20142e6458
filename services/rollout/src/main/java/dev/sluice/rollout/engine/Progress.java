package dev.sluice.rollout.engine;

import dev.sluice.sglang.Loads;

/**
 * What an engine is computing, as its own scheduler says it. SGLang has no counter of tokens that moves while requests run
 * without streaming; the tokens in its cache change with every step instead, and its throughput with every interval.
 *
 * @param running requests that run
 * @param tokens that its cache holds
 * @param throughput tokens a second over the engine's last interval
 */
public record Progress(int running, long tokens, double throughput) {
    static Progress of(Loads loads) {
        return new Progress(
                loads.loads().stream().mapToInt(Loads.Load::numRunningReqs).sum(),
                loads.loads().stream().mapToLong(Loads.Load::numUsedTokens).sum(),
                loads.loads().stream().mapToDouble(Loads.Load::genThroughput).sum());
    }

    Progress plus(Progress other) {
        return new Progress(running + other.running, tokens + other.tokens, throughput + other.throughput);
    }
}
