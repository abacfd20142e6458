package dev.sluice.sglang;

import com.fasterxml.jackson.annotation.JsonFormat;
import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.fasterxml.jackson.databind.annotation.JsonNaming;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * How tokens are drawn. Every field may be null, which means SGLang's default: 128 new tokens, temperature 1, no truncation of
 * the distribution, no penalties. The list of fields is closed: SGLang answers 500 to one it does not know.
 *
 * @param maxNewTokens most tokens to generate, the matched stop token included; 0 only fills the cache
 * @param temperature divides the logits, unitless; below 1e-6 means greedy
 * @param topK most probable tokens kept; -1 keeps all
 * @param stop texts that end the output
 * @param stopTokenIds tokens that end the output, besides the model's own end-of-sequence tokens
 * @param ignoreEos never stop at an end-of-sequence token, nor at {@code stopTokenIds}
 * @param noStopTrim keep the matched stop token or text in {@code text}
 * @param streamInterval tokens a frame of a stream, about; null and 1 send a frame each step
 * @param samplingSeed makes the draws of this request repeatable; stock SGLang heeds it only in deterministic mode
 * @see <a href="https://github.com/sgl-project/sglang/blob/v0.5.15.post1/python/sglang/srt/sampling/sampling_params.py">
 *     sampling_params.py</a>
 */
@JsonNaming(PropertyNamingStrategies.SnakeCaseStrategy.class)
@JsonInclude(JsonInclude.Include.NON_NULL)
public record SamplingParams(
        @Nullable Integer maxNewTokens,
        @Nullable Double temperature,
        @Nullable Double topP,
        @Nullable Integer topK,
        @Nullable Double minP,

        @JsonFormat(with = JsonFormat.Feature.ACCEPT_SINGLE_VALUE_AS_ARRAY) @Nullable
        List<String> stop,

        @Nullable List<Integer> stopTokenIds,

        @JsonFormat(with = JsonFormat.Feature.ACCEPT_SINGLE_VALUE_AS_ARRAY) @Nullable
        List<String> stopRegex,

        @Nullable Double frequencyPenalty,
        @Nullable Double presencePenalty,
        @Nullable Double repetitionPenalty,
        @Nullable Integer minNewTokens,
        @Nullable Integer n,
        @Nullable String jsonSchema,
        @Nullable String regex,
        @Nullable String ebnf,
        @Nullable String structuralTag,
        @Nullable Boolean ignoreEos,
        @Nullable Boolean skipSpecialTokens,
        @Nullable Boolean spacesBetweenSpecialTokens,
        @Nullable Boolean noStopTrim,
        @Nullable JsonNode customParams,
        @Nullable Integer streamInterval,
        @Nullable Map<String, Double> logitBias,
        @Nullable Long samplingSeed) {

    private static final SamplingParams DEFAULTS = new SamplingParams(
            null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null,
            null, null, null, null, null, null, null);

    /** SGLang's defaults: every field null. */
    public static SamplingParams defaults() {
        return DEFAULTS;
    }

    /** Plain sampling of up to {@code maxNewTokens} tokens at a temperature. */
    public static SamplingParams of(int maxNewTokens, double temperature) {
        return DEFAULTS.change()
                .maxNewTokens(maxNewTokens)
                .temperature(temperature)
                .done();
    }

    /** A copy to change: {@code params.change().samplingSeed(7).done()}. */
    public SamplingParamsChange change() {
        return new SamplingParamsChange(this);
    }
}
