package dev.sluice.cpu.engine;

import dev.sluice.sglang.FinishReason;
import dev.sluice.sglang.Speculation;
import dev.sluice.sglang.TokenLogprob;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/** A request and what it has generated so far. Belongs to the scheduler's thread. */
final class Sequence {
    private final GenerationRequest request;
    private final StopCheck stops;
    private final int[] tokens;
    private final long acceptedNanos = System.nanoTime();
    private long startedNanos;
    private long firstTokenNanos;
    private int length;
    private final List<TokenLogprob> outputLogprobs = new ArrayList<>();
    private final List<List<TokenLogprob>> topLogprobs = new ArrayList<>();
    private final List<List<TokenLogprob>> askedLogprobs = new ArrayList<>();
    private final List<TokenLogprob> promptLogprobs = new ArrayList<>();
    private boolean ran;
    private int cachedTokens;
    private int retractions;
    private int framed;
    private int[] acceptedHistogram = {};
    private @Nullable FinishReason finish;

    Sequence(GenerationRequest request, StopCheck stops) {
        this.request = request;
        this.stops = stops;
        this.tokens = Arrays.copyOf(
                request.prompt(), request.prompt().length + request.sampling().maxNewTokens());
        this.length = request.prompt().length;
        if (request.logprobs().promptFrom() == 0) {
            // Nothing comes before the first token.
            promptLogprob(0, null);
        }
    }

    GenerationRequest request() {
        return request;
    }

    /** When the request was accepted, began to run and had its first token, of {@link System#nanoTime}. */
    record Moments(long accepted, long started, long firstToken) {}

    Moments moments() {
        return new Moments(acceptedNanos, startedNanos, firstTokenNanos);
    }

    /** Prompt and output so far. */
    int length() {
        return length;
    }

    int outputLength() {
        return length - request.prompt().length;
    }

    int token(int position) {
        return tokens[position];
    }

    int lastToken() {
        return tokens[length - 1];
    }

    boolean isFinished() {
        return finish != null;
    }

    boolean hasRun() {
        return ran;
    }

    /** Whether another sequence with the same tokens may take over this one's cache and first distribution. */
    boolean sharesPrefill() {
        return request.logprobs().promptFrom() < 0;
    }

    int[] tokens() {
        return Arrays.copyOf(tokens, length);
    }

    /** Whether this request changes scores before they become probabilities. */
    boolean adjusts() {
        return !request.sampling().adjustment().isNone();
    }

    /** Changes the scores of the next token, or of one a few places later: what the output holds now counts. */
    void adjust(float[] logits) {
        Sampling sampling = request.sampling();
        sampling.adjustment()
                .apply(logits, tokens, request.prompt().length, length, stops.endTokensOf(sampling.stops()));
    }

    /** What else but the tokens decides the law of the next one. */
    List<Object> lawKey() {
        Sampling sampling = request.sampling();
        return adjusts()
                ? List.of(
                        sampling.law().temperature(),
                        sampling.adjustment(),
                        sampling.stops().tokens(),
                        outputLength())
                : List.of(sampling.law().temperature());
    }

    /** The law of a next token under this request's parameters. */
    Law law(Distributions distributions, int row) {
        return Law.of(distributions, row, request.sampling().law());
    }

    void started(int sharedTokens) {
        if (!ran) {
            ran = true;
            cachedTokens = sharedTokens;
            startedNanos = System.nanoTime();
        }
        if (request.sampling().maxNewTokens() == 0) {
            finish = new FinishReason.Length(0);
        }
    }

    /** Draws the next token and appends it. */
    void sample(Distributions distributions, int row) {
        double coin = request.coins().at(outputLength(), Coins.Use.SAMPLE);
        append(law(distributions, row).draw(coin), distributions, row);
    }

    /** Draws a draft for the output token that lies so many places after the next one. */
    int drawDraft(Law draft, int placesAhead) {
        return draft.draw(request.coins().at(outputLength() + placesAhead, Coins.Use.DRAFT));
    }

    /** Verifies drafts and appends what comes out of it, up to the first stop. */
    Verification verify(Distributions distributions, int firstRow, Drafts.Chain chain) {
        Verification verification =
                Verification.of(k -> law(distributions, firstRow + k), chain, request.coins(), outputLength());
        if (acceptedHistogram.length == 0) {
            acceptedHistogram = new int[chain.tokens().length + 1];
        }
        acceptedHistogram[verification.acceptedDrafts()]++;
        for (int k = 0; k < verification.tokens().length && !isFinished(); k++) {
            append(verification.tokens()[k], distributions, firstRow + k);
        }
        return verification;
    }

    /** Notes the log-probability that the prompt's token at a position had. */
    void promptLogprob(int position, @Nullable Double logprob) {
        promptLogprobs.add(new TokenLogprob(logprob, tokens[position], null));
    }

    void retracted() {
        retractions++;
    }

    void abort() {
        finish = ran ? FinishReason.Abort.whileRunning() : FinishReason.Abort.whileWaiting();
    }

    /** Whether enough has come since the frame before for another one of a stream. */
    boolean frameIsDue() {
        int interval = request.streamInterval();
        boolean due = interval > 0 && (framed == 0 || outputLength() - framed >= interval);
        framed = due ? outputLength() : framed;
        return due;
    }

    Sample snapshot(String weightVersion, @Nullable Integer rank) {
        return new Sample(
                request,
                acceptedNanos,
                Arrays.copyOfRange(tokens, request.prompt().length, length),
                List.copyOf(outputLogprobs),
                List.copyOf(topLogprobs),
                List.copyOf(askedLogprobs),
                List.copyOf(promptLogprobs),
                ran,
                cachedTokens,
                retractions,
                weightVersion,
                rank,
                finish,
                finish == null ? null : speculation());
    }

    private void append(int token, Distributions distributions, int row) {
        if (outputLength() == 0) {
            firstTokenNanos = System.nanoTime();
        }
        tokens[length++] = token;
        GenerationRequest.WantedLogprobs wanted = request.logprobs();
        if (wanted.output()) {
            outputLogprobs.add(new TokenLogprob(distributions.logprob(row, token), token));
            if (wanted.top() > 0) {
                topLogprobs.add(distributions.top(row, wanted.top()));
            }
            if (!wanted.tokens().isEmpty()) {
                askedLogprobs.add(wanted.tokens().stream()
                        .map(asked -> new TokenLogprob(distributions.logprob(row, asked), asked))
                        .toList());
            }
        }
        finish = stops.after(request, tokens, length);
    }

    private @Nullable Speculation speculation() {
        int verifications = Arrays.stream(acceptedHistogram).sum();
        if (verifications == 0) {
            return null;
        }
        int accepted = IntStream.range(0, acceptedHistogram.length)
                .map(k -> k * acceptedHistogram[k])
                .sum();
        int proposed = verifications * (acceptedHistogram.length - 1);
        return new Speculation(
                accepted,
                proposed,
                (double) accepted / proposed,
                (double) outputLength() / verifications,
                verifications,
                Arrays.stream(acceptedHistogram).boxed().toList());
    }
}
