package dev.sluice.rollout.engine;

import java.time.Duration;

/**
 * How long an engine may stay in a state.
 *
 * @param start from the command to the first answer, loading included
 * @param warm for its first generation, which may compile kernels
 * @param quiesce what runs may finish before an update
 * @param weightLoad to load and verify a version
 * @param suspect without a successful health check
 * @param stop to end in order
 * @param watch of one that serves
 */
public record EngineDeadlines(
        Duration start,
        Duration warm,
        Duration quiesce,
        Duration weightLoad,
        Duration suspect,
        Duration stop,
        Watch watch) {
    /**
     * How an engine that serves is watched.
     *
     * @param progress how long it may have work without computing a token
     * @param canary how long a canary may take
     * @param canaryPeriod how often an engine without work gets a canary
     */
    public record Watch(Duration progress, Duration canary, Duration canaryPeriod) {}

    /** The same with the run's own time for a weight load. */
    public EngineDeadlines withWeightLoad(Duration other) {
        return new EngineDeadlines(start, warm, quiesce, other, suspect, stop, watch);
    }
}
