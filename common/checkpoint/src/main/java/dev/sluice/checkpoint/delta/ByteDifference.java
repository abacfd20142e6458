package dev.sluice.checkpoint.delta;

/** Compares eight bytes at a time. */
final class ByteDifference {
    private static final long LOW_BITS = 0x7f7f7f7f7f7f7f7fL;
    private static final long HIGH_BITS = 0x8080808080808080L;
    private static final long ONES = 0x0101010101010101L;

    private ByteDifference() {}

    /**
     * {@code target[i] ^= other[i]}.
     *
     * @return how many bytes of the result are not zero
     */
    static long xor(long[] target, long[] other, int words) {
        long changed = 0;
        for (int i = 0; i < words; i++) {
            long difference = target[i] ^ other[i];
            target[i] = difference;
            changed += Long.bitCount(changedBytes(difference));
        }
        return changed;
    }

    /** One bit for every byte of a word that is not zero, the lowest for the lowest byte. */
    static int mask(long difference) {
        // The product brings the eight high bits together in the top byte, each to a place of its own.
        return (int) (((changedBytes(difference) >>> 7) * 0x0102040810204080L) >>> 56);
    }

    /** The eight bits of a mask as bytes: 0xff for each bit that is set. */
    static long bytesOf(int mask) {
        return Long.expand(mask, ONES) * 0xff;
    }

    /** The high bit of every byte that is not zero; no carry leaves a byte. */
    private static long changedBytes(long difference) {
        return (((difference & LOW_BITS) + LOW_BITS) | difference) & HIGH_BITS;
    }
}
