package dev.sluice.sglang;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.databind.JsonNode;
import org.jspecify.annotations.Nullable;

/**
 * The reply to {@code POST /weights_checker}, action checksum (SGLang 0.5.13 and later). Equal weights on engines of the same
 * layout give equal sums.
 *
 * @param ranks one entry a tensor-parallel rank, in the engine's own form
 * @param perEngineChecksum one sum for the whole engine, as the engine writes it (a hash, or one a rank); null where not offered
 */
@JsonInclude(JsonInclude.Include.NON_NULL)
public record WeightsChecksum(
        boolean success,
        String message,
        @Nullable JsonNode ranks,
        @JsonProperty("per_engine_checksum") @Nullable JsonNode perEngineChecksum) {}
