package dev.sluice.checkpoint.delta;

import java.nio.ByteBuffer;
import java.util.Arrays;

/** A piece of a tensor. */
final class ByteWindow {
    final byte[] bytes;
    private final ByteBuffer buffer;

    /** @param length whole groups */
    ByteWindow(int length) {
        bytes = new byte[length];
        buffer = ByteBuffer.wrap(bytes);
    }

    static int wordsOf(int length) {
        return (length + Long.BYTES - 1) / Long.BYTES;
    }

    /** The first bytes, for whoever fills or empties the window. */
    ByteBuffer first(int length) {
        return buffer.clear().limit(length);
    }

    /** Zeros what is left of the last group, so that loops take whole groups. */
    void clearAfter(int length) {
        Arrays.fill(bytes, length, ChangedBytes.groupsOf(length) * ChangedBytes.GROUP, (byte) 0);
    }
}
