package dev.sluice.cpu.engine;

/** Pearson's statistic. */
final class ChiSquare {
    private ChiSquare() {}

    /** Sum of squared deviations over expectations; cells with expectation below 1 are pooled. */
    static double of(int[] observed, double[] expected) {
        double statistic = 0;
        double pooledObserved = 0;
        double pooledExpected = 0;
        for (int i = 0; i < observed.length; i++) {
            if (expected[i] < 1) {
                pooledObserved += observed[i];
                pooledExpected += expected[i];
            } else {
                statistic += Math.pow(observed[i] - expected[i], 2) / expected[i];
            }
        }
        return pooledExpected == 0
                ? statistic
                : statistic + Math.pow(pooledObserved - pooledExpected, 2) / pooledExpected;
    }
}
