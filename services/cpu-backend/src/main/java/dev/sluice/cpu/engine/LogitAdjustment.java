package dev.sluice.cpu.engine;

import java.util.HashSet;
import java.util.Map;
import java.util.Set;

/**
 * What a request adds to the model's scores before they become probabilities, in SGLang's order: penalties on tokens that the
 * output holds already (the prompt does not count), no end before {@code minNewTokens}, then the bias. Log-probabilities in
 * replies are those after the adjustment, as in SGLang.
 *
 * @param frequency taken off once for each time the output holds the token; in [-2, 2]
 * @param presence taken off once where the output holds the token; in [-2, 2]
 * @param repetition divides positive scores of tokens in the output and multiplies negative ones; in (0, 2]
 * @param minNewTokens the output cannot end by a token before it has so many
 * @param bias added to the scores of these tokens, finite
 * @see <a href="https://github.com/sgl-project/sglang/tree/v0.5.15.post1/python/sglang/srt/sampling/penaltylib">penaltylib</a>
 */
record LogitAdjustment(
        double frequency, double presence, double repetition, int minNewTokens, Map<Integer, Double> bias) {
    static final LogitAdjustment NONE = new LogitAdjustment(0, 0, 1, 0, Map.of());

    LogitAdjustment {
        bias = Map.copyOf(bias);
    }

    /** Whether scores stay as they are at every length of the output. */
    boolean isNone() {
        return equals(NONE);
    }

    /**
     * Changes the scores of one next token.
     *
     * @param logits one score a token of the vocabulary; changed in place
     * @param tokens prompt and output; {@code length} of them count
     * @param endTokens that end an output
     */
    void apply(float[] logits, int[] tokens, int promptLength, int length, Set<Integer> endTokens) {
        Set<Integer> seen = new HashSet<>();
        for (int i = promptLength; i < length; i++) {
            logits[tokens[i]] -= (float) (frequency + (seen.add(tokens[i]) ? presence : 0));
        }
        if (length - promptLength < minNewTokens) {
            // A request may name stop tokens that the model does not have.
            endTokens.stream()
                    .filter(token -> token >= 0 && token < logits.length)
                    .forEach(token -> logits[token] = Float.NEGATIVE_INFINITY);
        }
        if (repetition != 1) {
            for (int token : seen) {
                logits[token] *= (float) (logits[token] < 0 ? repetition : 1 / repetition);
            }
        }
        bias.forEach((token, value) -> logits[token] += value.floatValue());
    }
}
