package dev.sluice.rollout.engine;

import java.time.Duration;

/**
 * How long an engine may stay in a state.
 *
 * @param start from the command to the first answer, loading included
 * @param quiesce what runs may finish before an update
 * @param weightLoad to load and verify a version
 * @param suspect without a successful health check
 * @param stop to end in order
 */
public record EngineDeadlines(Duration start, Duration quiesce, Duration weightLoad, Duration suspect, Duration stop) {
    /** The same with the run's own time for a weight load. */
    public EngineDeadlines withWeightLoad(Duration other) {
        return new EngineDeadlines(start, quiesce, other, suspect, stop);
    }
}
