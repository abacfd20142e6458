package dev.sluice.cpu.engine;

import org.jspecify.annotations.Nullable;

/** Rates over intervals of decode steps. Belongs to the scheduler's thread. */
final class Meter {
    /** SGLang's --decode-log-interval. */
    static final int INTERVAL_STEPS = 40;

    private final int draftSteps;
    private int steps;
    private long intervalStart = System.nanoTime();
    private Counts atStart = Counts.ZERO;
    private Counts averagesFrom = Counts.ZERO;
    private double throughput;
    private double acceptLength;
    private double acceptRate;

    Meter(int draftSteps) {
        this.draftSteps = draftSteps;
    }

    void stepped(Counts now) {
        steps++;
        if (steps < INTERVAL_STEPS) {
            return;
        }
        long time = System.nanoTime();
        long verifications = now.verifications() - atStart.verifications();
        long accepted = now.acceptedDrafts() - atStart.acceptedDrafts();
        throughput = (now.generatedTokens() - atStart.generatedTokens()) / ((time - intervalStart) / 1e9);
        if (verifications > 0) {
            acceptLength = 1 + (double) accepted / verifications;
            acceptRate = (double) accepted / (verifications * draftSteps);
        }
        restart(time, now);
    }

    /** Begins an interval after a time without steps, which must not count as slow. */
    void resumed(Counts now) {
        restart(System.nanoTime(), now);
    }

    private void restart(long time, Counts now) {
        steps = 0;
        intervalStart = time;
        atStart = now;
    }

    double throughput() {
        return throughput;
    }

    @Nullable
    Double acceptLength() {
        return draftSteps == 0 ? null : acceptLength;
    }

    @Nullable
    Double acceptRate() {
        return draftSteps == 0 ? null : acceptRate;
    }

    void restartAverages(Counts now) {
        averagesFrom = now;
    }

    @Nullable
    Double averageAcceptLength(Counts now) {
        if (draftSteps == 0) {
            return null;
        }
        long verifications = now.verifications() - averagesFrom.verifications();
        long accepted = now.acceptedDrafts() - averagesFrom.acceptedDrafts();
        return verifications == 0 ? 0.0 : 1 + (double) accepted / verifications;
    }
}
