package dev.sluice.cli.checkpoint;

/** Sums up the differences of a tensor's elements. */
final class ChangeSum {
    private long elements;
    private long changed;
    private long notFinite;
    private double maxAbs;
    private double sumAbs;
    private double squares;
    private double squaresOfA;

    void add(double[] a, double[] b, int count) {
        elements += count;
        for (int i = 0; i < count; i++) {
            double difference = Math.abs(b[i] - a[i]);
            if (difference == 0) {
                squaresOfA += a[i] * a[i];
            } else if (Double.isFinite(difference)) {
                changed++;
                maxAbs = Math.max(maxAbs, difference);
                sumAbs += difference;
                squares += difference * difference;
                squaresOfA += a[i] * a[i];
            } else if (Double.compare(a[i], b[i]) != 0) {
                // Infinite or no number on one side: changed, but by no amount.
                changed++;
                notFinite++;
            }
        }
    }

    TensorChange of(String name, String remark) {
        double relative = squares == 0 ? 0 : Math.sqrt(squares / squaresOfA);
        double meanAbs = elements == 0 ? 0 : sumAbs / elements;
        return new TensorChange(name, elements, changed, maxAbs, meanAbs, relative, notFinite, remark);
    }
}
