package dev.sluice.workerapi;

import com.fasterxml.jackson.annotation.JsonProperty;

/**
 * A weight on each token's policy loss: the ratio of the old log-probabilities' policy to the engine's, bounded.
 *
 * @param low least ratio, not negative
 * @param high largest ratio, above {@code low}
 * @see <a href="https://github.com/THUDM/slime/blob/main/slime/backends/megatron_utils/loss.py">slime's
 *     vanilla_tis_function and icepop_function</a>
 */
public record MismatchCorrection(Type type, double low, double high) {

    /** What becomes of a ratio out of bounds. */
    public enum Type {
        /** It is clipped (truncated importance sampling). */
        @JsonProperty("tis")
        TIS,
        /** Its token counts nothing. */
        @JsonProperty("icepop")
        ICEPOP
    }
}
