package dev.sluice.checkpoint.delta;

import java.util.Arrays;

/** Which bytes of a tensor changed: a bit for each, an eighth of the tensor, because all positions together could exceed memory. */
final class ChangedBytes {
    /** Bytes that a word tells of. */
    static final int GROUP = Long.SIZE;

    private long[] bits = new long[0];
    private int groups;

    void reset(long bytes) {
        groups = (int) ((bytes + GROUP - 1) / GROUP);
        if (bits.length < groups) {
            bits = new long[groups];
        } else {
            Arrays.fill(bits, 0, groups, 0);
        }
    }

    int groups() {
        return groups;
    }

    /** Says which bytes of a group changed, the lowest bit for the first. */
    void set(int group, long changed) {
        bits[group] = changed;
    }

    /**
     * Adds positions as they are stored, unsigned.
     *
     * @param before the position before the first, -1 if there is none
     * @param bytes of the tensor
     * @return the index of the first that does not follow on the one before it or lies outside the tensor; {@code count} if all are sound
     */
    int add(int[] positions, int count, long before, long bytes) {
        long last = before;
        int group = 0;
        long gathered = 0;
        int i = 0;
        for (; i < count; i++) {
            long position = Integer.toUnsignedLong(positions[i]);
            if (position <= last || position >= bytes) {
                break;
            }
            last = position;
            int its = (int) (position / GROUP);
            if (its != group) {
                // Memory is slower than a register when neighbours change.
                bits[group] |= gathered;
                group = its;
                gathered = 0;
            }
            gathered |= 1L << position;
        }
        if (gathered != 0) {
            bits[group] |= gathered;
        }
        return i;
    }

    /** The changed bytes among the {@link #GROUP} of a group, the lowest bit for the first. */
    long of(int group) {
        return bits[group];
    }

    /**
     * Writes out the positions of a group.
     *
     * @param positions has room for {@link #GROUP} more after {@code taken}; what lies there is overwritten
     * @return how many are taken then
     */
    int positions(int group, int[] positions, int taken) {
        long left = bits[group];
        int end = taken + Long.bitCount(left);
        int first = group * GROUP;
        for (int i = taken; i < end; i += 4) {
            // Four at a time without asking how many are left: a wrong guess of the processor costs more than three
            // idle writes.
            positions[i] = first + Long.numberOfTrailingZeros(left);
            left &= left - 1;
            positions[i + 1] = first + Long.numberOfTrailingZeros(left);
            left &= left - 1;
            positions[i + 2] = first + Long.numberOfTrailingZeros(left);
            left &= left - 1;
            positions[i + 3] = first + Long.numberOfTrailingZeros(left);
            left &= left - 1;
        }
        return end;
    }
}
