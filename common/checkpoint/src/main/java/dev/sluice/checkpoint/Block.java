package dev.sluice.checkpoint;

import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.List;

/** An axis-aligned box of elements: {@code low} inclusive, {@code high} exclusive. */
record Block(long[] low, long[] high) {
    static Block of(List<Long> offsets, List<Long> sizes) {
        long[] low = new long[offsets.size()];
        long[] high = new long[offsets.size()];
        for (int axis = 0; axis < low.length; axis++) {
            low[axis] = offsets.get(axis);
            high[axis] = low[axis] + sizes.get(axis);
        }
        return new Block(low, high);
    }

    static Block of(TensorChunk chunk) {
        return of(chunk.offsets(), chunk.sizes());
    }

    /** Whether both are the same box; a record of arrays compares identities. */
    boolean sameAs(Block other) {
        return Arrays.equals(low, other.low) && Arrays.equals(high, other.high);
    }

    boolean isEmpty() {
        for (int axis = 0; axis < low.length; axis++) {
            if (high[axis] <= low[axis]) {
                return true;
            }
        }
        return false;
    }

    Block intersect(Block other) {
        long[] from = new long[low.length];
        long[] to = new long[low.length];
        for (int axis = 0; axis < low.length; axis++) {
            from[axis] = Math.max(low[axis], other.low[axis]);
            to[axis] = Math.min(high[axis], other.high[axis]);
        }
        return new Block(from, to);
    }

    /**
     * Copies this block from the bytes of one box into those of another, row by row.
     *
     * @param source dense bytes of {@code from}, which contains this block
     * @param target dense bytes of {@code to}, which contains this block
     * @param width bytes an element
     */
    void copy(ByteBuffer source, Block from, ByteBuffer target, Block to, int width) {
        int last = low.length - 1;
        int rowBytes = last < 0 ? width : (int) (high[last] - low[last]) * width;
        long[] at = low.clone();
        boolean more = true;
        while (more) {
            target.put((int) to.index(at) * width, source, (int) from.index(at) * width, rowBytes);
            more = next(at, last - 1);
        }
    }

    /** Moves to the next row; false after the last. */
    private boolean next(long[] at, int axis) {
        for (int i = axis; i >= 0; i--) {
            if (++at[i] < high[i]) {
                return true;
            }
            at[i] = low[i];
        }
        return false;
    }

    /** Row-major position of an element of this box. */
    private long index(long[] at) {
        long index = 0;
        for (int axis = 0; axis < low.length; axis++) {
            index = index * (high[axis] - low[axis]) + at[axis] - low[axis];
        }
        return index;
    }
}
