package dev.sluice.checkpoint.delta;

import static dev.sluice.checkpoint.delta.LittleEndian.LONG;

/** Compares eight bytes at a time. */
final class ByteDifference {
    private static final long LOW_BITS = 0x7f7f7f7f7f7f7f7fL;
    private static final long HIGH_BITS = 0x8080808080808080L;
    private static final long ONES = 0x0101010101010101L;

    private ByteDifference() {}

    /**
     * {@code target[i] ^= other[i]}, up to seven bytes further than asked.
     *
     * @return how many bytes of the result are not zero
     */
    static int xor(byte[] target, byte[] other, int length) {
        int words = ByteWindow.wordsOf(length);
        long changed = 0;
        for (int i = 0; i < words; i++) {
            long difference = (long) LONG.get(target, i * Long.BYTES) ^ (long) LONG.get(other, i * Long.BYTES);
            LONG.set(target, i * Long.BYTES, difference);
            changed += Long.bitCount(changedBytes(difference));
        }
        return (int) changed;
    }

    /**
     * {@code target[i] = target[i] == other[i] ? 0 : 0xff}, up to seven bytes further than asked.
     *
     * @return how many bytes differ
     */
    static int mark(byte[] target, byte[] other, int length) {
        int words = ByteWindow.wordsOf(length);
        long changed = 0;
        for (int i = 0; i < words; i++) {
            long difference = (long) LONG.get(target, i * Long.BYTES) ^ (long) LONG.get(other, i * Long.BYTES);
            long highBits = changedBytes(difference);
            LONG.set(target, i * Long.BYTES, (highBits << 1) - (highBits >>> 7));
            changed += Long.bitCount(highBits);
        }
        return (int) changed;
    }

    /** One bit for each of 64 marks, the lowest for the first. */
    static long mask(byte[] marks, int start) {
        long mask = 0;
        for (int i = 0; i < Long.SIZE; i += Byte.SIZE) {
            mask |= Long.compress((long) LONG.get(marks, start + i), HIGH_BITS) << i;
        }
        return mask;
    }

    /** Byte by byte how many bits are set in it and in those below. */
    static long runningCounts(long mask) {
        long pairs = mask - (mask >>> 1 & 0x5555555555555555L);
        long nibbles = (pairs & 0x3333333333333333L) + (pairs >>> 2 & 0x3333333333333333L);
        long bytes = nibbles + (nibbles >>> 4) & 0x0f0f0f0f0f0f0f0fL;
        return bytes * ONES;
    }

    /** The lowest eight bits as marks. */
    static long marks(long mask) {
        long ones = Long.expand(mask, ONES);
        return (ones << Byte.SIZE) - ones;
    }

    /** The high bit of every byte that is not zero; no carry leaves a byte. */
    private static long changedBytes(long difference) {
        return (((difference & LOW_BITS) + LOW_BITS) | difference) & HIGH_BITS;
    }
}
