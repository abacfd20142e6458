package dev.sluice.converter;

import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.function.Predicate;

/**
 * Which conversions are kept: those that are in use, and of the others the most recently used as long as they fit.
 *
 * @param conversions at most so many together
 * @param bytes at most so many together
 */
record Retention(int conversions, long bytes) {
    /** A conversion may have been handed to a run whose event has not come back yet. */
    static final Duration FRESH = Duration.ofMinutes(10);

    /** A conversion in the cache. */
    record Cached(Path directory, Instant lastUsed, long bytes) {
        boolean fresh(Instant now) {
            return lastUsed.isAfter(now.minus(FRESH));
        }
    }

    /** What must go, the longest unused first. */
    List<Cached> surplus(Collection<Cached> cached, Predicate<Path> inUse, Instant now) {
        List<Cached> replaceable = new ArrayList<>();
        long bytesLeft = bytes;
        long conversionsLeft = conversions;
        for (Cached conversion : cached) {
            if (conversion.fresh(now) || inUse.test(conversion.directory)) {
                bytesLeft -= conversion.bytes;
                conversionsLeft--;
            } else {
                replaceable.add(conversion);
            }
        }
        replaceable.sort(Comparator.comparing(Cached::lastUsed).reversed());
        List<Cached> surplus = new ArrayList<>();
        for (Cached conversion : replaceable) {
            if (conversionsLeft > 0 && bytesLeft >= conversion.bytes) {
                bytesLeft -= conversion.bytes;
                conversionsLeft--;
            } else {
                surplus.addFirst(conversion);
            }
        }
        return surplus;
    }
}
