package dev.sluice.domain.ledger;

import dev.sluice.events.TimeSpan;
import java.time.Instant;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/** A set of moments: times without overlap, in their order. A long run has many, so they are kept as numbers. */
final class Spans {
    private static final long NANOS = 1_000_000_000L;

    /** Beginnings and ends in turns, nanoseconds since 1970. */
    private long[] bounds = new long[8];

    private int size;
    private long @Nullable [] before;

    static Spans of(Iterable<TimeSpan> spans) {
        Spans set = new Spans();
        spans.forEach(set::add);
        return set;
    }

    /** Adds a time, which usually comes after all others. */
    void add(TimeSpan span) {
        long began = nanos(span.began());
        long ended = nanos(span.ended());
        if (size == 0 || began >= bounds[size - 2]) {
            append(began, ended);
        } else {
            Spans one = new Spans();
            one.append(began, ended);
            Spans all = plus(one);
            bounds = all.bounds;
            size = all.size;
            before = null;
        }
    }

    /** Every moment that is in either. */
    Spans plus(Spans other) {
        Spans all = new Spans();
        int mine = 0;
        int others = 0;
        while (mine < size || others < other.size) {
            if (others == other.size || mine < size && bounds[mine] <= other.bounds[others]) {
                all.append(bounds[mine], bounds[mine + 1]);
                mine += 2;
            } else {
                all.append(other.bounds[others], other.bounds[others + 1]);
                others += 2;
            }
        }
        return all;
    }

    /** @param began not before the last one's beginning */
    private void append(long began, long ended) {
        before = null;
        if (ended <= began) {
            return;
        }
        if (size > 0 && began <= bounds[size - 1]) {
            bounds[size - 1] = Math.max(bounds[size - 1], ended);
            return;
        }
        if (size == bounds.length) {
            bounds = Arrays.copyOf(bounds, 2 * size);
        }
        bounds[size++] = began;
        bounds[size++] = ended;
    }

    /** Seconds of a time that are in this set; none of one that ends before it begins. */
    double within(Instant from, Instant until) {
        return Math.max(0, upTo(nanos(until)) - upTo(nanos(from))) / (double) NANOS;
    }

    double within(TimeSpan span) {
        return within(span.began(), span.ended());
    }

    private long upTo(long moment) {
        long[] sums = sums();
        int low = 0;
        int high = size / 2;
        while (low < high) { // the first that begins at the moment or later
            int middle = (low + high) / 2;
            if (bounds[2 * middle] < moment) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        return low == 0 ? 0 : sums[low - 1] + Math.min(moment, bounds[2 * low - 1]) - bounds[2 * low - 2];
    }

    /** The time before each. */
    private long[] sums() {
        long[] known = before;
        if (known == null) {
            known = new long[size / 2];
            for (int i = 1; i < known.length; i++) {
                known[i] = known[i - 1] + bounds[2 * i - 1] - bounds[2 * i - 2];
            }
            before = known;
        }
        return known;
    }

    private static long nanos(Instant moment) {
        return Math.addExact(Math.multiplyExact(moment.getEpochSecond(), NANOS), moment.getNano());
    }
}
