package dev.sluice.cpu.engine;

/**
 * What has been computed since the start.
 *
 * @param promptTokens of requests that began to run
 * @param cachedTokens prompt tokens whose cache was shared
 * @param generatedTokens of all requests
 * @param verifications chains that were verified
 * @param acceptedDrafts of all verifications
 */
record Counts(long promptTokens, long cachedTokens, long generatedTokens, long verifications, long acceptedDrafts) {
    static final Counts ZERO = new Counts(0, 0, 0, 0, 0);

    Counts plus(Counts other) {
        return new Counts(
                promptTokens + other.promptTokens,
                cachedTokens + other.cachedTokens,
                generatedTokens + other.generatedTokens,
                verifications + other.verifications,
                acceptedDrafts + other.acceptedDrafts);
    }
}
