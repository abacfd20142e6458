package dev.sluice.domain.ledger;

/**
 * Where the time of a run's seats went, from its first assignment to its end.
 *
 * @param unit GPU-seconds, or process-seconds where there are no GPUs
 * @param wallSeconds from the first assignment to the end, or to now
 * @param engines seats of engines
 * @param worker seats of the worker
 */
public record SeatTime(String unit, double wallSeconds, TimeBuckets engines, TimeBuckets worker) {
    public static final SeatTime NONE = new SeatTime("process-seconds", 0, TimeBuckets.NONE, TimeBuckets.NONE);

    /** All seats. */
    public TimeBuckets all() {
        return engines.plus(worker);
    }

    /** What a trained token cost, in the unit; 0 while none is trained. */
    public double perTrainedToken(long tokensTrained) {
        return tokensTrained == 0 ? 0 : all().total() / tokensTrained;
    }
}
