package dev.sluice.cpu.engine;

import java.util.List;
import java.util.function.Consumer;

/**
 * One sample to generate.
 *
 * @param rid unique among those that live
 * @param prompt token ids, at least one
 * @param logprobs which log-probabilities are wanted
 * @param coins of this sample
 * @param streams whether every step is delivered, not only the last
 * @param receiver gets what the sample has so far; called by the scheduler, must return at once
 */
@SuppressWarnings("ArrayRecordComponent")
record GenerationRequest(
        String rid,
        int[] prompt,
        Sampling sampling,
        WantedLogprobs logprobs,
        Coins coins,
        boolean streams,
        Consumer<Sample> receiver) {

    /**
     * Which log-probabilities a reply carries.
     *
     * @param output those of the generated tokens
     * @param promptFrom first prompt position whose own is wanted; -1 for none
     * @param top most probable alternatives a position
     * @param tokens further tokens asked for at each position
     */
    record WantedLogprobs(boolean output, int promptFrom, int top, List<Integer> tokens) {
        static final WantedLogprobs NONE = new WantedLogprobs(false, -1, 0, List.of());
    }
}
