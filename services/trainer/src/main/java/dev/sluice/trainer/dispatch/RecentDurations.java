package dev.sluice.trainer.dispatch;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Optional;

/** How long the newest pieces of work took. */
final class RecentDurations {
    private static final int KEPT = 64;
    /** Fewer say nothing about what is usual. */
    private static final int ENOUGH = 8;

    private final Deque<Duration> newest = new ArrayDeque<>();

    void add(Duration duration) {
        if (newest.size() == KEPT) {
            newest.removeFirst();
        }
        newest.addLast(duration);
    }

    /** Empty while there are too few. */
    Optional<Duration> median() {
        if (newest.size() < ENOUGH) {
            return Optional.empty();
        }
        List<Duration> sorted = newest.stream().sorted().toList();
        return Optional.of(sorted.get(sorted.size() / 2));
    }
}
