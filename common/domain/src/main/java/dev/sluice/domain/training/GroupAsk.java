package dev.sluice.domain.training;

/**
 * A group that is to be sampled.
 *
 * @param cursor its place in the prompt sequence
 * @param round one more each time it is asked for anew
 * @param minimumVersion the oldest weight version that may sample it
 */
public record GroupAsk(long cursor, int round, int minimumVersion) {}
