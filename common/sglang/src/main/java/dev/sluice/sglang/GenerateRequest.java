package dev.sluice.sglang;

import com.fasterxml.jackson.annotation.JsonAlias;
import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.fasterxml.jackson.databind.annotation.JsonNaming;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The body of {@code POST /generate} for one prompt. A batch has the same fields with lists for values; see
 * {@link SglangClient#generateAll}.
 *
 * @param rid names the request, so that it can be aborted; null lets the engine choose
 * @param text the prompt as text; null where {@code inputIds} is given
 * @param inputIds the prompt as token ids; null where {@code text} is given; treat as read-only
 * @param returnLogprob whether {@code meta_info.output_token_logprobs} is wanted; null means false
 * @param logprobStartLen first prompt position whose log-probability is wanted; null and -1 mean none
 * @param topLogprobsNum how many alternatives a position; null means 0
 * @param tokenIdsLogprob further tokens whose log-probability is wanted at each position
 * @param returnTextInLogprobs whether log-probability triples carry the token's text; null means false
 * @param stream whether the reply is a stream of server-sent events; null means false
 * @param routedDpRank the data-parallel rank that must serve the request; null lets the engine balance
 */
@JsonNaming(PropertyNamingStrategies.SnakeCaseStrategy.class)
@JsonInclude(JsonInclude.Include.NON_NULL)
@SuppressWarnings("ArrayRecordComponent")
public record GenerateRequest(
        @Nullable String rid,
        @Nullable String text,
        int @Nullable [] inputIds,
        @Nullable SamplingParams samplingParams,
        @Nullable Boolean returnLogprob,
        @Nullable Integer logprobStartLen,
        @Nullable Integer topLogprobsNum,
        @Nullable List<Integer> tokenIdsLogprob,
        @Nullable Boolean returnTextInLogprobs,
        @Nullable Boolean stream,
        @JsonAlias("data_parallel_rank") @Nullable Integer routedDpRank) {

    /** What reinforcement learning asks: tokens in, tokens and their log-probabilities out, in one reply. */
    public static GenerateRequest ofTokens(@Nullable String rid, int[] inputIds, SamplingParams samplingParams) {
        return new GenerateRequest(
                rid, null, inputIds.clone(), samplingParams, true, null, null, null, null, false, null);
    }

    /** The same request for one data-parallel rank of the engine. */
    public GenerateRequest onRank(int dataParallelRank) {
        return new GenerateRequest(
                rid,
                text,
                inputIds,
                samplingParams,
                returnLogprob,
                logprobStartLen,
                topLogprobsNum,
                tokenIdsLogprob,
                returnTextInLogprobs,
                stream,
                dataParallelRank);
    }
}
