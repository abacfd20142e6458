package dev.sluice.checkpoint.delta;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.LongBuffer;

/** A piece of a tensor, both as bytes, which checksums take, and as long words, whose loops the compiler turns into vector instructions. */
final class ByteWindow {
    /** Three such windows stay in a core's second-level cache. */
    static final int BYTES = 128 << 10;

    final byte[] bytes = new byte[BYTES];
    final long[] words = new long[BYTES / Long.BYTES];
    private final LongBuffer view =
            ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).asLongBuffer();

    static int wordsOf(int length) {
        return (length + Long.BYTES - 1) / Long.BYTES;
    }

    /** Copies the first bytes to the words; bytes of the last word beyond them become zero. */
    void toWords(int length) {
        int count = wordsOf(length);
        for (int i = length; i < count * Long.BYTES; i++) {
            bytes[i] = 0;
        }
        view.get(0, words, 0, count);
    }

    void toBytes(int length) {
        view.put(0, words, 0, wordsOf(length));
    }
}
