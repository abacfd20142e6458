package dev.sluice.cpu.engine;

import java.util.LinkedHashMap;
import java.util.Map;

/**
 * How long requests took and how large they were, under the names of SGLang's histograms; each request counts when it ends.
 * Belongs to the scheduler's thread.
 */
final class RequestTimes {
    private static final double[] SECONDS = {
        0.01, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1, 2, 4, 6, 8, 10, 20, 40, 60, 80, 100, 200, 400, 600, 1200
    };
    private static final double[] TOKEN_SECONDS = {
        0.002, 0.004, 0.006, 0.008, 0.01, 0.015, 0.02, 0.025, 0.03, 0.035, 0.04, 0.06, 0.08, 0.1, 0.2, 0.4, 0.6, 0.8, 1,
        2, 4, 6, 8
    };
    private static final double[] TOKENS = {
        1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16_384, 32_768, 65_536, 131_072
    };

    private final Histogram firstToken = new Histogram(SECONDS);
    private final Histogram betweenTokens = new Histogram(TOKEN_SECONDS);
    private final Histogram whole = new Histogram(SECONDS);
    private final Histogram queued = new Histogram(SECONDS);
    private final Histogram promptTokens = new Histogram(TOKENS);
    private final Histogram outputTokens = new Histogram(TOKENS);

    /** A request has ended; one that never ran has no times but its whole one. */
    void ended(Sequence sequence) {
        Sequence.Moments moments = sequence.moments();
        long now = System.nanoTime();
        whole.observe((now - moments.accepted()) / 1e9, 1);
        promptTokens.observe(sequence.request().prompt().length, 1);
        outputTokens.observe(sequence.outputLength(), 1);
        if (sequence.hasRun()) {
            queued.observe((moments.started() - moments.accepted()) / 1e9, 1);
        }
        if (sequence.outputLength() > 0) {
            firstToken.observe((moments.firstToken() - moments.accepted()) / 1e9, 1);
        }
        if (sequence.outputLength() > 1) {
            int gaps = sequence.outputLength() - 1;
            betweenTokens.observe((now - moments.firstToken()) / 1e9 / gaps, gaps);
        }
    }

    Map<String, Histogram.Buckets> buckets() {
        Map<String, Histogram.Buckets> all = new LinkedHashMap<>();
        all.put("time_to_first_token_seconds", firstToken.buckets());
        all.put("inter_token_latency_seconds", betweenTokens.buckets());
        all.put("e2e_request_latency_seconds", whole.buckets());
        all.put("queue_time_seconds", queued.buckets());
        all.put("prompt_tokens_histogram", promptTokens.buckets());
        all.put("generation_tokens_histogram", outputTokens.buckets());
        return all;
    }
}
