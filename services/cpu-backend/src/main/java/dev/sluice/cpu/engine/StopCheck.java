package dev.sluice.cpu.engine;

import dev.sluice.domain.stop.StopPattern;
import dev.sluice.sglang.FinishReason;
import dev.sluice.sglang.FinishReason.Matched;
import dev.sluice.text.Tokenizer;
import java.util.Arrays;
import java.util.HashSet;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Says after each token whether the output ends, in SGLang's order: length, then stop texts, then stop patterns, then
 * stop tokens.
 *
 * @param endTokens the model's end-of-sequence tokens
 * @param tokenizer null where the engine runs without one; requests with stop texts are refused then
 * @see <a href="https://github.com/sgl-project/sglang/blob/v0.5.15.post1/python/sglang/srt/managers/schedule_batch.py">
 *     Req.check_finished</a>
 */
record StopCheck(Set<Integer> endTokens, @Nullable Tokenizer tokenizer) {
    /** A match lies within so many last tokens; SGLang looks through all of them for a pattern without a longest match. */
    private static final int PATTERN_TOKENS = 1024;

    /** All tokens that end an output of a request with these stops. */
    Set<Integer> endTokensOf(Sampling.Stops stops) {
        Set<Integer> all = new HashSet<>(endTokens);
        all.addAll(stops.tokens());
        return all;
    }

    /**
     * Checks the newest token.
     *
     * @param tokens prompt and output; {@code length} of them count
     * @return null while the output goes on
     */
    @Nullable
    FinishReason after(GenerationRequest request, int[] tokens, int length) {
        Sampling sampling = request.sampling();
        int outputLength = length - request.prompt().length;
        if (outputLength >= sampling.maxNewTokens()) {
            return new FinishReason.Length(outputLength);
        }
        Sampling.Stops stops = sampling.stops();
        String text = matchedText(sampling, Arrays.copyOfRange(tokens, length - tail(stops, outputLength), length));
        if (text != null) {
            return new FinishReason.Stop(new Matched.Text(text));
        }
        int token = tokens[length - 1];
        boolean stopToken = stops.tokens().contains(token) || endTokens.contains(token);
        if (stopToken && !stops.ignoreEos()) {
            return new FinishReason.Stop(new Matched.Token(token));
        }
        return null;
    }

    /** How many last tokens can hold a stop text that ends in the newest one: each token has at least one character. */
    private static int tail(Sampling.Stops stops, int outputLength) {
        int longest = stops.patterns().isEmpty()
                ? stops.texts().stream().mapToInt(String::length).max().orElse(-1)
                : PATTERN_TOKENS;
        return Math.min(outputLength, longest + 1);
    }

    private @Nullable String matchedText(Sampling sampling, int[] tail) {
        Sampling.Stops stops = sampling.stops();
        if (tokenizer == null || stops.texts().isEmpty() && stops.patterns().isEmpty()) {
            return null;
        }
        String text = tokenizer.decode(tail, sampling.skipSpecialTokens());
        return stops.texts().stream()
                .filter(text::contains)
                .findFirst()
                .or(() -> StopPattern.firstIn(stops.patterns(), text))
                .orElse(null);
    }
}
