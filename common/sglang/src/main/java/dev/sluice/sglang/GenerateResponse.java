package dev.sluice.sglang;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.fasterxml.jackson.databind.annotation.JsonNaming;
import org.jspecify.annotations.Nullable;

/**
 * The reply to {@code POST /generate} for one sample, or one frame of its stream (then everything so far).
 *
 * @param text the output without the matched stop (unless {@code no_stop_trim}); null where the engine has no tokenizer
 * @param outputIds the output including the matched stop token; treat as read-only
 * @param index the sample's place in the batch; only in the stream of a batch
 */
@JsonNaming(PropertyNamingStrategies.SnakeCaseStrategy.class)
@SuppressWarnings("ArrayRecordComponent")
public record GenerateResponse(
        @JsonInclude(JsonInclude.Include.NON_NULL) @Nullable String text,
        int[] outputIds,
        @JsonProperty("meta_info") Meta meta,
        @JsonInclude(JsonInclude.Include.NON_NULL) int @Nullable [] promptTokenIds,
        @JsonInclude(JsonInclude.Include.NON_NULL) @Nullable Integer index) {

    public GenerateResponse {
        if (outputIds == null) {
            outputIds = new int[0];
        }
        if (meta == null) {
            throw new IllegalArgumentException("a /generate reply without meta_info; is this an SGLang engine?");
        }
    }
}
