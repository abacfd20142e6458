package dev.sluice.domain.ledger;

import java.time.Duration;

/**
 * Seconds of seats by what was done in them. A seat is one GPU, or one process where there are no GPUs.
 *
 * @param generating an engine had samples to generate
 * @param waiting an engine without samples, a worker without a batch, and whatever happens between two calls of the worker
 * @param handOver an engine that stands still, since training has its GPUs or weights go into its memory; on shared GPUs without
 *     the worker's calls
 * @param training passes and steps of the worker
 * @param syncing engines that load weights, and the worker while it writes them
 * @param loading from the start of a process to its first work
 * @param saving the worker writes a cut
 * @param down no process in the seat, or one that has failed or is not started yet
 */
public record TimeBuckets(
        double generating,
        double waiting,
        double handOver,
        double training,
        double syncing,
        double loading,
        double saving,
        double down) {
    public static final TimeBuckets NONE = new TimeBuckets(0, 0, 0, 0, 0, 0, 0, 0);

    static TimeBuckets down(double seconds) {
        return new TimeBuckets(0, 0, 0, 0, 0, 0, 0, seconds);
    }

    /** The sum, which is the time of all seats. */
    public double total() {
        return generating + waiting + handOver + training + syncing + loading + saving + down;
    }

    public TimeBuckets plus(TimeBuckets other) {
        return new TimeBuckets(
                generating + other.generating,
                waiting + other.waiting,
                handOver + other.handOver,
                training + other.training,
                syncing + other.syncing,
                loading + other.loading,
                saving + other.saving,
                down + other.down);
    }

    TimeBuckets times(int seats) {
        return new TimeBuckets(
                generating * seats,
                waiting * seats,
                handOver * seats,
                training * seats,
                syncing * seats,
                loading * seats,
                saving * seats,
                down * seats);
    }

    /** Each to hundredths. */
    public TimeBuckets rounded() {
        return new TimeBuckets(
                rounded(generating),
                rounded(waiting),
                rounded(handOver),
                rounded(training),
                rounded(syncing),
                rounded(loading),
                rounded(saving),
                rounded(down));
    }

    private static double rounded(double seconds) {
        return Math.round(seconds * 100) / 100.0;
    }

    static double seconds(Duration time) {
        return time.toNanos() / 1e9;
    }
}
