package dev.sluice.sglang;

import com.fasterxml.jackson.annotation.JsonFormat;
import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.fasterxml.jackson.databind.annotation.JsonNaming;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The body of {@code POST /update_weights_from_disk}. On an engine that is not paused the call waits for every running request.
 *
 * @param modelPath a Hugging Face directory that the engine can read
 * @param weightVersion the label of the weights from then on; null keeps the old one
 * @param flushCache whether cached keys of the old weights are dropped; must be false on an engine paused in place
 * @param abortAllRequests whether running requests are aborted first
 */
@JsonNaming(PropertyNamingStrategies.SnakeCaseStrategy.class)
@JsonInclude(JsonInclude.Include.NON_NULL)
public record WeightUpdate(
        String modelPath,
        @Nullable String loadFormat,
        @Nullable String weightVersion,
        @Nullable Boolean flushCache,
        @Nullable Boolean abortAllRequests) {

    /** Loads a directory under a new label and drops the cache. */
    public static WeightUpdate of(String modelPath, String weightVersion) {
        return new WeightUpdate(modelPath, null, weightVersion, true, false);
    }

    /** The same without dropping the cache, for an engine that is paused in place. */
    public WeightUpdate keepingCache() {
        return new WeightUpdate(modelPath, loadFormat, weightVersion, false, abortAllRequests);
    }

    /**
     * The engine's answer.
     *
     * @param success if false, the weights must be taken as partly replaced: the engine may not serve until fully reloaded
     * @param numPausedRequests of each data-parallel rank; of an engine that has one, SGLang writes the number alone
     *     ({@code _wait_for_model_update_from_disk} in sglang/srt/managers/tokenizer_manager.py)
     */
    @JsonNaming(PropertyNamingStrategies.SnakeCaseStrategy.class)
    @JsonInclude(JsonInclude.Include.NON_NULL)
    public record Outcome(
            boolean success,
            String message,

            @JsonFormat(
                    with = {
                        JsonFormat.Feature.ACCEPT_SINGLE_VALUE_AS_ARRAY,
                        JsonFormat.Feature.WRITE_SINGLE_ELEM_ARRAYS_UNWRAPPED
                    })
            @Nullable
            List<Integer> numPausedRequests) {}
}
