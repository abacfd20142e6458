package dev.sluice.checkpoint.delta;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.LongBuffer;

/** A piece of a tensor, both as bytes, which checksums take, and as long words, whose loops the compiler turns into vector instructions. */
final class ByteWindow {
    /** Three such windows stay in a core's second-level cache. */
    static final int BYTES = 64 << 10;

    final byte[] bytes = new byte[BYTES];
    final long[] words = new long[BYTES / Long.BYTES];
    private final LongBuffer view =
            ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).asLongBuffer();

    static int wordsOf(int length) {
        return (length + Long.BYTES - 1) / Long.BYTES;
    }

    /** Copies the first bytes to the words; the last word is filled up with zeros. */
    void toWords(int length) {
        int count = wordsOf(length);
        for (int i = length; i < count * Long.BYTES; i++) {
            bytes[i] = 0;
        }
        view.get(0, words, 0, count);
    }

    /** Copies a buffer from its first byte to its limit to the words, past the bytes here; the last word is filled up with zeros. */
    void toWords(ByteBuffer source) {
        int length = source.limit();
        int whole = length / Long.BYTES;
        source.order(ByteOrder.LITTLE_ENDIAN).asLongBuffer().get(words, 0, whole);
        if (whole < wordsOf(length)) {
            words[whole] = 0;
        }
        for (int i = whole * Long.BYTES; i < length; i++) {
            words[whole] |= Byte.toUnsignedLong(source.get(i)) << (i * Byte.SIZE);
        }
    }

    void toBytes(int length) {
        view.put(0, words, 0, wordsOf(length));
    }
}
