package dev.sluice.rollout.reward;

import java.time.Duration;

/** Time that one reward or environment has, on the monotonic clock. */
public record Time(Duration limit, long endNanos) {
    public static Time of(Duration limit) {
        return new Time(limit, System.nanoTime() + limit.toNanos());
    }

    public Duration left() {
        return Duration.ofNanos(endNanos - System.nanoTime());
    }

    boolean isOver() {
        return !left().isPositive();
    }

    public String seconds() {
        return "%.1f s".formatted(limit.toMillis() / 1000.0);
    }
}
