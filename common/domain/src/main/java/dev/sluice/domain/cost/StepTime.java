package dev.sluice.domain.cost;

import dev.sluice.domain.candidate.Candidate;
import dev.sluice.domain.memory.LayerSums;

/**
 * Seconds of a whole step.
 *
 * @param sync moving the new weights to the engines
 * @param handOver waking and putting to sleep engines and trainer that share GPUs
 * @param overlapped whether the next step is sampled while this one trains
 */
public record StepTime(double rollout, double training, double sync, double handOver, boolean overlapped) {
    /** Either way; published step-time models of dense pre-training are within 4 to 30 %. */
    public static final double UNCERTAINTY = 0.3;

    private static final double COLOCATED_SYNC_SECONDS = 3;
    /** With the constant above, from two points: Qwen3-30B-A3B 7 s and GLM-4.5-355B 48 s (slime's blogs). */
    private static final double COLOCATED_SYNC_BYTES_PER_SECOND = 15.8e9;

    private static final double SYNC_BYTES_PER_SECOND = 20e9;
    private static final double HAND_OVER_SECONDS = 5;

    public static StepTime of(Candidate candidate, double rollout, double training, LayerSums sums) {
        boolean colocated = candidate.cluster().colocated();
        double bytes = 2.0 * sums.total();
        double sync = colocated
                ? COLOCATED_SYNC_SECONDS + bytes / COLOCATED_SYNC_BYTES_PER_SECOND
                : bytes / SYNC_BYTES_PER_SECOND;
        boolean sampled = candidate.workload().rollout();
        return new StepTime(
                rollout,
                training,
                sampled ? sync : 0,
                sampled && colocated ? HAND_OVER_SECONDS : 0,
                sampled && candidate.workload().asynchronous() && !colocated);
    }

    public double seconds() {
        double work = overlapped ? Math.max(rollout, training) : rollout + training;
        return work + sync + handOver;
    }

    public double low() {
        return seconds() * (1 - UNCERTAINTY);
    }

    public double high() {
        return seconds() * (1 + UNCERTAINTY);
    }
}
