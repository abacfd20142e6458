package dev.sluice.cli.checkpoint;

import dev.sluice.checkpoint.DType;
import dev.sluice.checkpoint.Elements;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** Sums up the differences of a tensor's elements. */
final class ChangeSum {
    /** Few enough that the decoded numbers stay in the processor's cache. */
    private static final int BLOCK = 4096;

    private final DType typeA;
    private final DType typeB;
    private final double[] valuesA = new double[BLOCK];
    private final double[] valuesB = new double[BLOCK];
    private long elements;
    private long changed;
    private long notFinite;
    private double maxAbs;
    private double sumAbs;
    private double squares;
    private double squaresOfA;

    ChangeSum(DType typeA, DType typeB) {
        this.typeA = typeA;
        this.typeB = typeB;
    }

    void add(ByteBuffer a, ByteBuffer b, int count) {
        elements += count;
        for (int done = 0; done < count; done += BLOCK) {
            int some = Math.min(BLOCK, count - done);
            Elements.decode(slice(a, typeA, done, some), typeA, valuesA, some);
            Elements.decode(slice(b, typeB, done, some), typeB, valuesB, some);
            addBlock(valuesA, valuesB, some);
        }
    }

    private static ByteBuffer slice(ByteBuffer data, DType type, int first, int count) {
        return data.slice(first * type.bytes(), count * type.bytes()).order(ByteOrder.LITTLE_ENDIAN);
    }

    private void addBlock(double[] a, double[] b, int count) {
        double max = 0;
        double sum = 0;
        double squareSum = 0;
        double squareSumOfA = 0;
        int different = 0;
        for (int i = 0; i < count; i++) {
            double difference = Math.abs(b[i] - a[i]);
            // Math.max is slower, since it heeds what is no number; the sum below tells of it.
            max = difference > max ? difference : max;
            sum += difference;
            squareSum += difference * difference;
            squareSumOfA += a[i] * a[i];
            different += difference > 0 ? 1 : 0;
        }
        if (!Double.isFinite(sum) || !Double.isFinite(squareSumOfA)) {
            addFinite(a, b, count);
            return;
        }
        changed += different;
        maxAbs = Math.max(maxAbs, max);
        sumAbs += sum;
        squares += squareSum;
        squaresOfA += squareSumOfA;
    }

    /** As {@link #addBlock}; infinities and what is no number count as changed unless both have the same, but by no amount. */
    private void addFinite(double[] a, double[] b, int count) {
        for (int i = 0; i < count; i++) {
            if (Double.isFinite(a[i]) && Double.isFinite(b[i])) {
                double difference = Math.abs(b[i] - a[i]);
                changed += difference > 0 ? 1 : 0;
                maxAbs = Math.max(maxAbs, difference);
                sumAbs += difference;
                squares += difference * difference;
                squaresOfA += a[i] * a[i];
            } else if (Double.compare(a[i], b[i]) != 0) {
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
