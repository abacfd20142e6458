package dev.sluice.cpu.engine;

import java.util.Arrays;
import java.util.function.IntFunction;

/**
 * What the target model makes of a chain of drafted tokens.
 *
 * <p>The draft counts as certain of its token d: d is accepted with the target's probability p(d), otherwise a token is drawn
 * from p without d. So a token comes out with p(d), or with (1 - p(d)) * p(x) / (1 - p(d)) = p(x): exactly the law of plain
 * sampling. A greedy law makes this the comparison of most probable tokens.
 *
 * @param tokens what is emitted: the accepted drafts and one token of the target's own
 * @see <a href="https://arxiv.org/abs/2211.17192">Leviathan et al., Fast inference from transformers via speculative
 *     decoding, section 2.3, with a draft that is a point mass</a>
 */
@SuppressWarnings("ArrayRecordComponent")
record Verification(int[] tokens) {

    /** How many drafts were accepted. */
    int acceptedDrafts() {
        return tokens.length - 1;
    }

    /**
     * Verifies one chain.
     *
     * @param laws law of the k-th new token given the chain before it; k from 0 to the chain's length
     * @param chain drafted tokens
     * @param coins of the request
     * @param firstIndex index in the output of the first new token
     */
    static Verification of(IntFunction<Law> laws, long[] chain, Coins coins, int firstIndex) {
        int[] tokens = new int[chain.length + 1];
        for (int k = 0; k < chain.length; k++) {
            int drafted = Math.toIntExact(chain[k]);
            Law law = laws.apply(k);
            if (coins.at(firstIndex + k, Coins.Use.ACCEPT) < law.probability(drafted)) {
                tokens[k] = drafted;
            } else {
                tokens[k] = law.drawOther(drafted, coins.at(firstIndex + k, Coins.Use.RESAMPLE));
                return new Verification(Arrays.copyOf(tokens, k + 1));
            }
        }
        int last = chain.length;
        tokens[last] = laws.apply(last).draw(coins.at(firstIndex + last, Coins.Use.SAMPLE));
        return new Verification(tokens);
    }
}
