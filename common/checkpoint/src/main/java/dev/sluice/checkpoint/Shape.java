package dev.sluice.checkpoint;

import java.util.Collections;
import java.util.List;

/** Arithmetic on tensor shapes; every product is checked, because shapes come from files. */
final class Shape {
    /** More axes than any model uses, few enough that a hostile header costs nothing. */
    static final int MAX_RANK = 16;

    private Shape() {}

    /**
     * Number of elements; 1 for a scalar.
     *
     * @throws CheckpointException if an axis is negative, there are too many axes, or the product overflows
     */
    static long elements(List<Long> shape) {
        if (shape.size() > MAX_RANK) {
            throw new CheckpointException(
                    "a shape of %d axes; at most %d are allowed".formatted(shape.size(), MAX_RANK));
        }
        long product = 1;
        for (long axis : shape) {
            if (axis < 0) {
                throw new CheckpointException("shape " + shape + " has a negative axis");
            }
            product = multiply(product, axis, shape);
        }
        return product;
    }

    /** Size in bytes of a dense tensor. */
    static long bytes(DType dtype, List<Long> shape) {
        return multiply(elements(shape), dtype.bytes(), shape);
    }

    /** Zero on every axis. */
    static List<Long> origin(int rank) {
        return Collections.nCopies(rank, 0L);
    }

    private static long multiply(long left, long right, List<Long> shape) {
        try {
            return Math.multiplyExact(left, right);
        } catch (ArithmeticException overflow) {
            throw new CheckpointException("shape " + shape + " has more than 2^63 bytes", overflow);
        }
    }
}
