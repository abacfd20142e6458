package dev.sluice.cpu.engine;

import java.util.Arrays;
import java.util.function.IntFunction;

/**
 * What the target model makes of a chain of drafted tokens.
 *
 * <p>A draft d that was drawn from a law q is accepted with probability min(1, p(d) / q(d)), p the target's law; otherwise a
 * token is drawn from max(p - q, 0), normalised. So a token comes out with exactly the law of plain sampling, and is accepted
 * with the sum of min(p, q). A draft that is always the most probable token counts as certain of it: q(d) = 1, d is accepted
 * with p(d), and the rest is p without d. A greedy law makes this the comparison of most probable tokens.
 *
 * @param tokens what is emitted: the accepted drafts and one token of the target's own
 * @see <a href="https://arxiv.org/abs/2211.17192">Leviathan et al., Fast inference from transformers via speculative
 *     decoding, section 2.3</a>
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
     * @param chain drafted tokens, each with the law that it was drawn from
     * @param coins of the request
     * @param firstIndex index in the output of the first new token
     */
    static Verification of(IntFunction<Law> laws, Drafts.Chain chain, Coins coins, int firstIndex) {
        int length = chain.tokens().length;
        int[] tokens = new int[length + 1];
        for (int k = 0; k < length; k++) {
            int drafted = Math.toIntExact(chain.tokens()[k]);
            Law law = laws.apply(k);
            Law draft = chain.law(k);
            if (coins.at(firstIndex + k, Coins.Use.ACCEPT) * draft.probability(drafted) < law.probability(drafted)) {
                tokens[k] = drafted;
            } else {
                tokens[k] = law.drawBeyond(draft, coins.at(firstIndex + k, Coins.Use.RESAMPLE));
                return new Verification(Arrays.copyOf(tokens, k + 1));
            }
        }
        tokens[length] = laws.apply(length).draw(coins.at(firstIndex + length, Coins.Use.SAMPLE));
        return new Verification(tokens);
    }
}
