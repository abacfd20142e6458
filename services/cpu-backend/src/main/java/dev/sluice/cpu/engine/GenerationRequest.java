package dev.sluice.cpu.engine;

import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * One sample to generate.
 *
 * @param rid unique among those that live
 * @param prompt token ids, at least one
 * @param logprobs which log-probabilities are wanted
 * @param coins of this sample
 * @param rank the data-parallel rank that must serve it; null lets the engine balance
 * @param streamInterval tokens after which what there is is delivered; 0 delivers the whole sample alone
 * @param receiver gets what the sample has so far; called by the scheduler, must return at once
 */
@SuppressWarnings("ArrayRecordComponent")
record GenerationRequest(
        String rid,
        int[] prompt,
        Sampling sampling,
        WantedLogprobs logprobs,
        Coins coins,
        @Nullable Integer rank,
        int streamInterval,
        Consumer<Sample> receiver) {

    /** The same request with another receiver. */
    GenerationRequest to(Consumer<Sample> other) {
        return new GenerationRequest(rid, prompt, sampling, logprobs, coins, rank, streamInterval, other);
    }

    /** Tokens of its prompt, and of its output at most. */
    long mostTokens() {
        return (long) prompt.length + sampling.maxNewTokens();
    }

    /**
     * Which log-probabilities a reply carries.
     *
     * @param output those of the generated tokens
     * @param promptFrom first prompt position whose own is wanted; -1 for none
     * @param top most probable alternatives a position
     * @param tokens further tokens asked for at each position
     * @param texts whether the tokens' texts are wanted beside them
     */
    record WantedLogprobs(boolean output, int promptFrom, int top, List<Integer> tokens, boolean texts) {
        static final WantedLogprobs NONE = new WantedLogprobs(false, -1, 0, List.of(), false);
    }
}
