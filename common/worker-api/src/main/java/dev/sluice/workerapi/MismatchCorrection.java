package dev.sluice.workerapi;

import com.fasterxml.jackson.annotation.JsonProperty;
import org.jspecify.annotations.Nullable;

/**
 * A weight on each token's policy loss: the ratio of the old log-probabilities' policy to the engine's, bounded.
 *
 * @param low least ratio, not negative
 * @param high largest ratio, above {@code low}
 * @param level what one ratio stands for
 * @param veto a sequence with a trained token whose own ratio is below this counts nothing; absent: all count
 * @see <a href="https://github.com/THUDM/slime/blob/main/slime/backends/megatron_utils/loss.py">slime's
 *     vanilla_tis_function and icepop_function</a>
 * @see <a href="https://github.com/THUDM/slime/blob/main/examples/train_infer_mismatch_helper/mis.py">its
 *     compute_mis_weights</a>
 */
public record MismatchCorrection(
        Type type,
        double low,
        double high,
        Level level,
        @Nullable Double veto) {
    public MismatchCorrection {
        level = level == null ? Level.TOKEN : level;
    }

    /** One ratio a token, and no veto. */
    public MismatchCorrection(Type type, double low, double high) {
        this(type, low, high, Level.TOKEN, null);
    }

    /** What one ratio stands for. */
    public enum Level {
        /** A token. */
        @JsonProperty("token")
        TOKEN,
        /** A sequence: the product over its trained tokens, exact and of high variance. */
        @JsonProperty("sequence")
        SEQUENCE,
        /** A sequence: the geometric mean over its trained tokens. */
        @JsonProperty("geometric")
        GEOMETRIC
    }

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
