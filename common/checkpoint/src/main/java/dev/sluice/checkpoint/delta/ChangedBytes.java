package dev.sluice.checkpoint.delta;

import java.util.Arrays;

/** Which bytes of a tensor changed: a bit for each, an eighth of the tensor, because all positions together could exceed memory. */
final class ChangedBytes {
    private long[] bits = new long[0];

    void reset(long bytes) {
        int words = (int) ((bytes + Long.SIZE - 1) / Long.SIZE);
        if (bits.length < words) {
            bits = new long[words];
        } else {
            Arrays.fill(bits, 0, words, 0);
        }
    }

    void add(long position) {
        bits[(int) (position >>> 6)] |= 1L << position;
    }

    /** Adds up to eight positions: those of the mask's bits, counted from a multiple of eight. */
    void add(long position, int mask) {
        bits[(int) (position >>> 6)] |= (long) mask << position;
    }

    /** The changed bytes among the 64 that begin at a multiple of 64. */
    long from(long position) {
        return bits[(int) (position >>> 6)];
    }
}
