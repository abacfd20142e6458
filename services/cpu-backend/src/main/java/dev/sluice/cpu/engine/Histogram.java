package dev.sluice.cpu.engine;

import java.util.Arrays;
import java.util.List;

/** Counts of values by size, as Prometheus has them. Belongs to one thread. */
final class Histogram {
    private final double[] bounds;
    private final long[] counts;
    private double sum;

    /** @param bounds upper ends of the buckets, ascending; a last one without an end is added */
    Histogram(double... bounds) {
        this.bounds = bounds;
        this.counts = new long[bounds.length + 1];
    }

    void observe(double value, long times) {
        int bucket = 0;
        while (bucket < bounds.length && value > bounds[bucket]) {
            bucket++;
        }
        counts[bucket] += times;
        sum += value * times;
    }

    Buckets buckets() {
        return new Buckets(
                Arrays.stream(bounds).boxed().toList(),
                Arrays.stream(counts).boxed().toList(),
                sum);
    }

    /**
     * The counts at one moment.
     *
     * @param counts one a bound and one beyond the last, each of its own bucket alone
     */
    record Buckets(List<Double> bounds, List<Long> counts, double sum) {}
}
