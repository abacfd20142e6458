package dev.sluice.cpu.engine;

import dev.sluice.sglang.FinishReason;
import dev.sluice.sglang.GenerateResponse;
import dev.sluice.sglang.Meta;
import dev.sluice.sglang.TokenLogprob;
import dev.sluice.text.Tokenizer;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Turns what a request has into SGLang's reply.
 *
 * @param tokenizer null where the engine runs without one; replies have no text then
 */
record Replies(@Nullable Tokenizer tokenizer) {

    /**
     * A whole reply, or one frame of a stream, which repeats everything so far.
     *
     * @param index place in the batch, in streams of batches
     * @param startNanos when the request came, of {@link System#nanoTime}
     */
    GenerateResponse of(Sample sample, @Nullable Integer index, long startNanos) {
        boolean logprobs = sample.request().logprobs().output();
        boolean textInLogprobs = sample.request().logprobs().texts();
        boolean ended = sample.finish() != null;
        List<TokenLogprob> output = texts(sample.outputLogprobs(), textInLogprobs);
        long now = System.nanoTime();
        Instant clock = Instant.now();
        double clockSeconds = clock.getEpochSecond() + clock.getNano() / 1e9;
        Meta meta = new Meta(
                sample.request().rid(),
                sample.finish(),
                sample.ran() ? sample.request().prompt().length : null,
                sample.output().length,
                sample.ran() ? sample.cachedTokens() : null,
                sample.weightVersion(),
                sample.retractions(),
                0,
                ended ? (now - startNanos) / 1e9 : null,
                clockSeconds - (now - sample.acceptedNanos()) / 1e9,
                clockSeconds,
                logprobs ? texts(sample.promptLogprobs(), textInLogprobs) : null,
                logprobs ? output : null,
                logprobs ? output.size() : null,
                null,
                logprobs && sample.request().logprobs().top() > 0 ? List.copyOf(sample.topLogprobs()) : null,
                logprobs && !sample.request().logprobs().tokens().isEmpty()
                        ? List.copyOf(sample.askedLogprobs())
                        : null,
                sample.rank(),
                sample.speculation());
        return new GenerateResponse(text(sample), sample.output(), meta, null, index);
    }

    /** The output so far, without the matched stop unless it is to stay; null without a tokenizer. */
    @Nullable
    String text(Sample sample) {
        if (tokenizer == null) {
            return null;
        }
        Sampling sampling = sample.request().sampling();
        int[] output = sample.output();
        if (!sampling.stops().keepMatched() && sample.finish() instanceof FinishReason.Stop stop) {
            return switch (stop.matched()) {
                case FinishReason.Matched.Token token ->
                    decode(Arrays.copyOf(output, output.length - 1), sampling.skipSpecialTokens());
                case FinishReason.Matched.Text text -> {
                    String whole = decode(output, sampling.skipSpecialTokens());
                    int begin = whole.indexOf(text.text());
                    yield begin < 0 ? whole : whole.substring(0, begin);
                }
            };
        }
        return decode(output, sampling.skipSpecialTokens());
    }

    String decode(int[] ids, boolean skipSpecialTokens) {
        return tokenizer == null || ids.length == 0 ? "" : tokenizer.decode(ids, skipSpecialTokens);
    }

    private List<TokenLogprob> texts(List<TokenLogprob> logprobs, boolean wanted) {
        if (!wanted || tokenizer == null) {
            return logprobs;
        }
        return logprobs.stream()
                .map(one -> new TokenLogprob(one.logprob(), one.tokenId(), decode(new int[] {one.tokenId()}, false)))
                .toList();
    }
}
