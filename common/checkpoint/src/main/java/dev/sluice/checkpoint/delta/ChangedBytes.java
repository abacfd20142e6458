package dev.sluice.checkpoint.delta;

import static dev.sluice.checkpoint.delta.LittleEndian.INT;
import static dev.sluice.checkpoint.delta.LittleEndian.LONG;

import java.util.Arrays;

/** Which bytes of a tensor changed: a bit for each, an eighth of the tensor, because all positions together could exceed memory. */
final class ChangedBytes {
    /** Bytes that a word tells of. */
    static final int GROUP = Long.SIZE;

    private long[] bits = new long[0];
    private int groups;

    /** Begins a tensor without a change. */
    void reset(long bytes) {
        resize(bytes);
        clear(0, groups);
    }

    /** Begins a tensor whose groups will all be set or cleared. */
    void resize(long bytes) {
        groups = groupsOf(bytes);
        if (bits.length < groups) {
            bits = new long[groups];
        }
    }

    static int groupsOf(long bytes) {
        return (int) ((bytes + GROUP - 1) / GROUP);
    }

    int groups() {
        return groups;
    }

    /** Says which bytes of some groups changed. */
    void set(int firstGroup, byte[] marks, int groups) {
        long[] bits = this.bits;
        for (int group = 0; group < groups; group++) {
            bits[firstGroup + group] = ByteDifference.mask(marks, group * GROUP);
        }
    }

    void clear(int firstGroup, int groups) {
        Arrays.fill(bits, firstGroup, firstGroup + groups, 0);
    }

    /**
     * Adds positions as they are stored, unsigned.
     *
     * @param before the position before the first, -1 if there is none
     * @param bytes of the tensor
     * @return the index of the first that does not follow on the one before it or lies outside the tensor; {@code count} if all are sound
     */
    int add(byte[] positions, int count, long before, long bytes) {
        boolean sound =
                position(positions, 0) > before && position(positions, count - 1) < bytes && ascend(positions, count);
        if (!sound) {
            return firstUnsound(positions, count, before, bytes);
        }
        set(bits, positions, count);
        return count;
    }

    /** Four places in turn: neighbours lie in one word, where each write would wait for the one before. */
    private static void set(long[] bits, byte[] positions, int count) {
        int quarter = count / 4;
        for (int i = 0; i < quarter; i++) {
            set(bits, (int) INT.get(positions, i * Integer.BYTES));
            set(bits, (int) INT.get(positions, (quarter + i) * Integer.BYTES));
            set(bits, (int) INT.get(positions, (2 * quarter + i) * Integer.BYTES));
            set(bits, (int) INT.get(positions, (3 * quarter + i) * Integer.BYTES));
        }
        for (int i = 4 * quarter; i < count; i++) {
            set(bits, (int) INT.get(positions, i * Integer.BYTES));
        }
    }

    private static void set(long[] bits, int position) {
        bits[position >>> 6] |= 1L << position;
    }

    static long position(byte[] positions, int index) {
        return Integer.toUnsignedLong((int) INT.get(positions, index * Integer.BYTES));
    }

    private static boolean ascend(byte[] positions, int count) {
        long negative = -1;
        for (int i = 0; i < (count - 1) / 2; i++) {
            // One assignment, or the compiler makes no vector instructions of it.
            negative &= firstLessSecond((long) LONG.get(positions, i * Long.BYTES))
                    & firstLessSecond((long) LONG.get(positions, i * Long.BYTES + Integer.BYTES));
        }
        return negative < 0 && (count < 2 || position(positions, count - 2) < position(positions, count - 1));
    }

    /** Negative if the unsigned number in the lower half is less than that in the upper. */
    private static long firstLessSecond(long pair) {
        return (pair & 0xffffffffL) - (pair >>> Integer.SIZE);
    }

    private static int firstUnsound(byte[] positions, int count, long before, long bytes) {
        long last = before;
        for (int i = 0; i < count; i++) {
            long position = position(positions, i);
            if (position <= last || position >= bytes) {
                return i;
            }
            last = position;
        }
        return count;
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
    int positions(int group, byte[] positions, int taken) {
        long left = bits[group];
        int end = taken + Long.bitCount(left);
        int first = group * GROUP;
        int i = taken;
        do {
            // Four at a time without asking how many are left: a wrong guess of the processor costs more than idle
            // writes.
            INT.set(positions, (i + 0) * Integer.BYTES, first + Long.numberOfTrailingZeros(left));
            left &= left - 1;
            INT.set(positions, (i + 1) * Integer.BYTES, first + Long.numberOfTrailingZeros(left));
            left &= left - 1;
            INT.set(positions, (i + 2) * Integer.BYTES, first + Long.numberOfTrailingZeros(left));
            left &= left - 1;
            INT.set(positions, (i + 3) * Integer.BYTES, first + Long.numberOfTrailingZeros(left));
            left &= left - 1;
            i += 4;
        } while (i < end);
        return end;
    }
}
