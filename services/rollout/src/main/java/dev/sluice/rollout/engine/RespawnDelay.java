package dev.sluice.rollout.engine;

import java.time.Duration;
import java.util.List;

/** How long to wait before an engine is started again: longer with every failure, short again after a good life. */
final class RespawnDelay {
    static final List<Duration> DELAYS = List.of(
            Duration.ofMillis(500),
            Duration.ofSeconds(1),
            Duration.ofSeconds(2),
            Duration.ofSeconds(5),
            Duration.ofSeconds(10),
            Duration.ofSeconds(30));
    /** Of an engine that no fallback of its plan could start: only a change outside helps. */
    static final Duration GIVEN_UP = Duration.ofMinutes(5);

    private int failures;

    /** @param goodLife whether the engine has sampled, so that it failed for a new reason */
    Duration next(boolean goodLife) {
        failures = goodLife ? 0 : failures;
        return DELAYS.get(Math.min(failures++, DELAYS.size() - 1));
    }
}
