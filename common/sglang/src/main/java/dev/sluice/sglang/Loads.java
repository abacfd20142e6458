package dev.sluice.sglang;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.fasterxml.jackson.databind.annotation.JsonNaming;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** {@code GET /v1/loads}: what an engine is doing, one entry a data-parallel rank. */
@JsonNaming(PropertyNamingStrategies.SnakeCaseStrategy.class)
public record Loads(String timestamp, @Nullable String version, List<Load> loads) {

    public Loads {
        loads = loads == null ? List.of() : List.copyOf(loads);
    }

    /** Requests that run or wait on all ranks. */
    public int requests() {
        return loads.stream()
                .mapToInt(load -> load.numRunningReqs() + load.numWaitingReqs())
                .sum();
    }

    /**
     * One rank's load.
     *
     * @param numWaitingUncachedTokens prompt tokens that wait to be computed
     * @param tokenUsage share of the cache in use, 0 to 1
     * @param genThroughput tokens a second over the last interval
     */
    @JsonNaming(PropertyNamingStrategies.SnakeCaseStrategy.class)
    @JsonInclude(JsonInclude.Include.NON_NULL)
    public record Load(
            int dpRank,
            int numRunningReqs,
            int numWaitingReqs,
            int numWaitingUncachedTokens,
            int numUsedTokens,
            int numTotalTokens,
            int maxTotalNumTokens,
            int maxRunningRequests,
            double tokenUsage,
            double genThroughput,
            double cacheHitRate,
            double utilization,
            @Nullable Drafts speculative) {}

    /** Tokens a verification and share of accepted drafts, over the last interval. */
    @JsonNaming(PropertyNamingStrategies.SnakeCaseStrategy.class)
    public record Drafts(double acceptLength, double acceptRate) {}
}
