package dev.sluice.sglang;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.fasterxml.jackson.databind.annotation.JsonNaming;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * {@code GET /server_info}: the engine's flags and figures, those of them that we read. It goes through the engine's scheduler
 * and therefore waits for a running forward pass.
 *
 * @param version SGLang's version, such as "0.5.15.post1"
 * @param maxTotalNumTokens tokens that fit the cache
 * @param maxReqInputLen longest prompt, tokens
 * @param internalStates one a data-parallel rank
 */
@JsonNaming(PropertyNamingStrategies.SnakeCaseStrategy.class)
@JsonInclude(JsonInclude.Include.NON_NULL)
public record ServerInfo(
        String version,
        String modelPath,
        @Nullable String servedModelName,
        @Nullable Integer tpSize,
        @Nullable Integer ppSize,
        @Nullable Integer epSize,
        @Nullable Integer dpSize,
        @Nullable Integer contextLength,
        @Nullable Integer maxRunningRequests,
        @Nullable Integer maxTotalNumTokens,
        @Nullable Integer maxReqInputLen,
        @Nullable String speculativeAlgorithm,
        @Nullable Integer speculativeNumSteps,
        @Nullable Integer speculativeNumDraftTokens,
        @Nullable Boolean enableMemorySaver,
        @Nullable Boolean enableMetrics,
        @Nullable Long randomSeed,
        @Nullable String weightVersion,
        @Nullable List<InternalState> internalStates) {

    /**
     * Figures of one data-parallel rank.
     *
     * @param lastGenThroughput tokens a second over the last interval
     * @param avgSpecAcceptLength tokens a verification, since the counters were reset; null without speculation
     */
    @JsonNaming(PropertyNamingStrategies.SnakeCaseStrategy.class)
    @JsonInclude(JsonInclude.Include.NON_NULL)
    public record InternalState(
            @Nullable Double lastGenThroughput,
            @Nullable JsonNode memoryUsage,
            @Nullable Integer effectiveMaxRunningRequestsPerDp,
            @Nullable Double avgSpecAcceptLength) {}
}
