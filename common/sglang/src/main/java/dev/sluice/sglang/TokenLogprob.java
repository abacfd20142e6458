package dev.sluice.sglang;

import com.fasterxml.jackson.annotation.JsonFormat;
import com.fasterxml.jackson.annotation.JsonPropertyOrder;
import org.jspecify.annotations.Nullable;

/**
 * A token and its natural log-probability; on the wire the triple {@code [logprob, id, text]}.
 *
 * @param logprob at most 0; null for the first token of a prompt, and where it is not a finite number
 * @param text null unless asked for
 */
@JsonFormat(shape = JsonFormat.Shape.ARRAY)
@JsonPropertyOrder({"logprob", "tokenId", "text"})
public record TokenLogprob(
        @Nullable Double logprob, int tokenId, @Nullable String text) {

    public TokenLogprob {
        // JSON has no infinity; SGLang writes null.
        if (logprob != null && !Double.isFinite(logprob)) {
            logprob = null;
        }
    }

    public TokenLogprob(double logprob, int tokenId) {
        this(logprob, tokenId, null);
    }
}
