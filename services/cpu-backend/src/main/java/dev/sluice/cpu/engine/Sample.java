package dev.sluice.cpu.engine;

import dev.sluice.sglang.FinishReason;
import dev.sluice.sglang.Speculation;
import dev.sluice.sglang.TokenLogprob;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What a request has at one moment; immutable, made by the scheduler.
 *
 * @param acceptedNanos when the request entered the queue, of {@link System#nanoTime}
 * @param output generated tokens, the matched stop included
 * @param outputLogprobs one a generated token; empty where not wanted
 * @param promptLogprobs from the wanted prompt position on; the prompt's first token has none
 * @param ran false where the request was aborted before it ran
 * @param rank the data-parallel rank that computed it; null where the engine has one alone
 * @param finish null while it goes on
 * @param speculation null where nothing was drafted
 */
@SuppressWarnings("ArrayRecordComponent")
record Sample(
        GenerationRequest request,
        long acceptedNanos,
        int[] output,
        List<TokenLogprob> outputLogprobs,
        List<List<TokenLogprob>> topLogprobs,
        List<List<TokenLogprob>> askedLogprobs,
        List<TokenLogprob> promptLogprobs,
        boolean ran,
        int cachedTokens,
        int retractions,
        String weightVersion,
        @Nullable Integer rank,
        @Nullable FinishReason finish,
        @Nullable Speculation speculation) {}
