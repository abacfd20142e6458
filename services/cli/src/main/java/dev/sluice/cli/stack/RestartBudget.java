package dev.sluice.cli.stack;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.Optional;

/** How often and how soon a service that dies is started again: five times a minute, each time a little later. */
final class RestartBudget {
    static final int RESTARTS = 5;
    static final Duration WINDOW = Duration.ofMinutes(1);
    private static final Duration FIRST_DELAY = Duration.ofMillis(200);

    private final ArrayDeque<Instant> restarts = new ArrayDeque<>();

    /** How long to wait before the next start; empty when it has died too often. */
    Optional<Duration> next(Instant now) {
        while (!restarts.isEmpty() && restarts.peekFirst().isBefore(now.minus(WINDOW))) {
            restarts.removeFirst();
        }
        if (restarts.size() == RESTARTS) {
            return Optional.empty();
        }
        Duration delay = FIRST_DELAY.multipliedBy(1L << restarts.size());
        restarts.addLast(now);
        return Optional.of(delay);
    }

    /** Restarts within the window. */
    int used() {
        return restarts.size();
    }
}
