package dev.sluice.cpu.engine;

import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What an engine did and does, at one moment.
 *
 * @param retracted waiting requests that have run already
 * @param held requests that wait for the end of a pause or of a weight update, before the queue
 * @param usedTokens tokens in the cache
 * @param capacityTokens tokens that fit the cache
 * @param throughput generated tokens a second over the last interval of {@link Meter#INTERVAL_STEPS} steps
 * @param acceptLength tokens a verification over that interval; null without speculation
 * @param acceptRate share of drafts accepted over that interval; null without speculation
 * @param times histograms of requests that ended, by SGLang's names
 * @param averageAcceptLength tokens a verification since the start; null without speculation
 */
record Figures(
        int running,
        int waiting,
        int retracted,
        int held,
        int waitingTokens,
        int usedTokens,
        int capacityTokens,
        double throughput,
        @Nullable Double acceptLength,
        @Nullable Double acceptRate,
        @Nullable Double averageAcceptLength,
        Counts counts,
        Ended ended,
        double weightLoadSeconds,
        Map<String, Histogram.Buckets> times) {

    /** Requests that ended since the start, those of them that were aborted, and times requests were retracted. */
    record Ended(long requests, long aborted, long retractions) {}

    double tokenUsage() {
        return capacityTokens == 0 ? 0 : (double) usedTokens / capacityTokens;
    }

    double cacheHitRate() {
        return counts.promptTokens() == 0 ? 0 : (double) counts.cachedTokens() / counts.promptTokens();
    }
}
