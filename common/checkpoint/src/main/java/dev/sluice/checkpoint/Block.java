package dev.sluice.checkpoint;

import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.List;

/** An axis-aligned box of elements: {@code low} inclusive, {@code high} exclusive. */
record Block(long[] low, long[] high) {
    private static final int SLICE_BYTES = 64 << 20;

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
     * @param target dense bytes of {@code to}, which contains this block and fits a buffer
     * @param width bytes an element
     */
    void copy(ByteRange source, Block from, ByteBuffer target, Block to, int width) {
        int last = low.length - 1;
        int rowBytes = last < 0 ? width : Math.toIntExact((high[last] - low[last]) * width);
        long[] at = low.clone();
        long sliced = from.index(at) * width;
        ByteBuffer slice = slice(source, sliced, rowBytes);
        boolean more = true;
        while (more) {
            long row = from.index(at) * width;
            if (row - sliced > slice.limit() - rowBytes) {
                sliced = row;
                slice = slice(source, sliced, rowBytes);
            }
            target.put(Math.toIntExact(to.index(at) * width), slice, (int) (row - sliced), rowBytes);
            more = next(at, last - 1);
        }
    }

    /** Some rows: each for itself would cost more than its copy. */
    private static ByteBuffer slice(ByteRange source, long begin, int rowBytes) {
        return source.slice(begin, Math.min(source.bytes() - begin, Math.max(rowBytes, SLICE_BYTES)));
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
    long index(long[] at) {
        long index = 0;
        for (int axis = 0; axis < low.length; axis++) {
            index = index * (high[axis] - low[axis]) + at[axis] - low[axis];
        }
        return index;
    }
}
