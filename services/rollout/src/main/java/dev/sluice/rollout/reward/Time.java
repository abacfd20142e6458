package dev.sluice.rollout.reward;

import java.time.Duration;

/** Time that one reward has, on the monotonic clock. */
record Time(Duration limit, long endNanos) {
    static Time of(Duration limit) {
        return new Time(limit, System.nanoTime() + limit.toNanos());
    }

    Duration left() {
        return Duration.ofNanos(endNanos - System.nanoTime());
    }

    boolean isOver() {
        return !left().isPositive();
    }

    String seconds() {
        return "%.1f s".formatted(limit.toMillis() / 1000.0);
    }
}
