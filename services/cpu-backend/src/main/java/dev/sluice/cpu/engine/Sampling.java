package dev.sluice.cpu.engine;

import dev.sluice.domain.stop.StopPattern;
import java.util.List;
import java.util.OptionalLong;
import java.util.Set;

/**
 * A request's sampling parameters, checked and with defaults filled in.
 *
 * @param maxNewTokens at least 0
 * @param law which tokens may be drawn and how
 * @param adjustment what changes the model's scores before the law is taken from them
 * @param stops what ends the output
 * @param skipSpecialTokens whether special tokens are left out of the text
 * @param seed of the request's coins; empty lets the engine choose
 * @param streamInterval tokens a frame of a stream, at least 1
 * @param samples how many samples of the prompt
 */
record Sampling(
        int maxNewTokens,
        LawParams law,
        LogitAdjustment adjustment,
        Stops stops,
        boolean skipSpecialTokens,
        OptionalLong seed,
        int streamInterval,
        int samples) {

    /**
     * The law that tokens are drawn from.
     *
     * @param temperature divides the logits; 1 where greedy
     * @param greedy always the most probable token
     * @param topK most probable tokens kept, at least 1
     * @param topP the smallest set of most probable tokens with at least this mass is kept; in (0, 1]
     * @param minP tokens below this share of the most probable one's probability are dropped; in [0, 1]
     */
    record LawParams(double temperature, boolean greedy, int topK, double topP, double minP) {
        boolean truncates(int vocabulary) {
            return topK < vocabulary || topP < 1 || minP > 0;
        }
    }

    /**
     * What ends an output.
     *
     * @param patterns of which a match ends it; the match stays in the text, as in SGLang
     * @param ignoreEos stop at no token at all: neither at the model's end tokens nor at those asked for
     * @param keepMatched whether the matched stop stays in the text
     */
    record Stops(
            List<String> texts,
            List<StopPattern> patterns,
            Set<Integer> tokens,
            boolean ignoreEos,
            boolean keepMatched) {}
}
