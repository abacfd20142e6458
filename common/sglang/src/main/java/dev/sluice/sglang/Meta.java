package dev.sluice.sglang;

import com.fasterxml.jackson.annotation.JsonAlias;
import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonUnwrapped;
import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.fasterxml.jackson.databind.annotation.JsonNaming;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * {@code meta_info} of a generated sample.
 *
 * @param id the request's rid
 * @param finishReason why it ended; null in a stream's frame that is not the last
 * @param promptTokens tokens of the prompt; null where the request was aborted before it ran
 * @param completionTokens tokens generated, the matched stop included
 * @param cachedTokens tokens of the prompt whose cache was shared; null where the request was aborted before it ran
 * @param weightVersion the label of the weights at the time of the reply, not of each token
 * @param numRetractions how often the request lost its cache and was computed again
 * @param e2eLatency from acceptance to reply, seconds; null before the last frame
 * @param requestReceivedTs when the engine took the request, seconds since 1970 by its own clock; SGLang says it only with {@code
 *     --enable-metrics}
 * @param outputTokenLogprobs one a generated token, of the target model over the full vocabulary at the request's
 *     temperature; null where not asked
 * @param dpRank the data-parallel rank that computed it; null where the engine has one alone
 * @param speculation counts of drafted and accepted tokens; null where nothing was drafted
 */
@JsonNaming(PropertyNamingStrategies.SnakeCaseStrategy.class)
@JsonInclude(JsonInclude.Include.NON_NULL)
public record Meta(
        String id,
        @JsonInclude(JsonInclude.Include.ALWAYS) @Nullable FinishReason finishReason,
        @Nullable Integer promptTokens,
        int completionTokens,
        @Nullable Integer cachedTokens,
        String weightVersion,
        @JsonAlias("total_retractions") @Nullable Integer numRetractions,
        @Nullable Integer reasoningTokens,
        @Nullable Double e2eLatency,
        @Nullable Double requestReceivedTs,
        @Nullable Double responseSentToClientTs,
        @Nullable List<TokenLogprob> inputTokenLogprobs,
        @Nullable List<TokenLogprob> outputTokenLogprobs,
        @Nullable Integer outputTokenLogprobsLength,
        @Nullable List<@Nullable List<TokenLogprob>> inputTopLogprobs,
        @Nullable List<@Nullable List<TokenLogprob>> outputTopLogprobs,
        @Nullable List<@Nullable List<TokenLogprob>> outputTokenIdsLogprobs,
        @Nullable Integer dpRank,
        @JsonUnwrapped @Nullable Speculation speculation) {

    public Meta {
        // An unwrapped record is always created when reading, even where none of its fields is present.
        if (speculation != null && speculation.verifyCount() == 0) {
            speculation = null;
        }
    }

    /** Of an engine that has one data-parallel rank alone and does not say when it took the request. */
    public Meta(
            String id,
            @Nullable FinishReason finishReason,
            @Nullable Integer promptTokens,
            int completionTokens,
            @Nullable Integer cachedTokens,
            String weightVersion,
            @Nullable Integer numRetractions,
            @Nullable Integer reasoningTokens,
            @Nullable Double e2eLatency,
            @Nullable Double responseSentToClientTs,
            @Nullable List<TokenLogprob> inputTokenLogprobs,
            @Nullable List<TokenLogprob> outputTokenLogprobs,
            @Nullable Integer outputTokenLogprobsLength,
            @Nullable List<@Nullable List<TokenLogprob>> inputTopLogprobs,
            @Nullable List<@Nullable List<TokenLogprob>> outputTopLogprobs,
            @Nullable List<@Nullable List<TokenLogprob>> outputTokenIdsLogprobs,
            @Nullable Speculation speculation) {
        this(
                id,
                finishReason,
                promptTokens,
                completionTokens,
                cachedTokens,
                weightVersion,
                numRetractions,
                reasoningTokens,
                e2eLatency,
                null,
                responseSentToClientTs,
                inputTokenLogprobs,
                outputTokenLogprobs,
                outputTokenLogprobsLength,
                inputTopLogprobs,
                outputTopLogprobs,
                outputTokenIdsLogprobs,
                null,
                speculation);
    }

    /** The same with other log-probabilities of the generated tokens. */
    Meta withOutputTokenLogprobs(@Nullable List<TokenLogprob> logprobs) {
        return new Meta(
                id,
                finishReason,
                promptTokens,
                completionTokens,
                cachedTokens,
                weightVersion,
                numRetractions,
                reasoningTokens,
                e2eLatency,
                requestReceivedTs,
                responseSentToClientTs,
                inputTokenLogprobs,
                logprobs,
                logprobs == null ? null : Integer.valueOf(logprobs.size()),
                inputTopLogprobs,
                outputTopLogprobs,
                outputTokenIdsLogprobs,
                dpRank,
                speculation);
    }
}
