package dev.sluice.domain.training;

/**
 * Shifts and scales advantages to mean 0 and variance 1 over the tokens that have a gradient.
 *
 * @param mean of those tokens
 * @param variance theirs, with n - 1; with n for a single token
 * @see <a href="https://github.com/THUDM/slime/blob/main/slime/utils/distributed_utils.py">slime's
 *     distributed_masked_whiten</a>
 */
record Whitening(double mean, double variance) {
    private static final double EPSILON = 1e-8;

    /** Changes nothing where no token has a gradient: such a batch teaches nothing, however its advantages are scaled. */
    static Whitening of(double[] values, byte[] lossMask) {
        double sum = 0;
        int count = 0;
        for (int t = 0; t < values.length; t++) {
            sum += values[t] * lossMask[t];
            count += lossMask[t];
        }
        if (count == 0) {
            return new Whitening(0, 1);
        }
        double mean = sum / count;
        double squares = 0;
        for (int t = 0; t < values.length; t++) {
            squares += lossMask[t] * (values[t] - mean) * (values[t] - mean);
        }
        return new Whitening(mean, squares / Math.max(1, count - 1));
    }

    /** Whitens the responses' tokens, masked ones included as slime does; prompts stay 0. */
    void apply(BatchRows rows, double[] values) {
        for (int row = 0; row < rows.samples(); row++) {
            for (int t = rows.cuSeqlens()[row] + rows.promptLengths()[row]; t < rows.cuSeqlens()[row + 1]; t++) {
                values[t] = (values[t] - mean) / Math.sqrt(variance + EPSILON);
            }
        }
    }
}
