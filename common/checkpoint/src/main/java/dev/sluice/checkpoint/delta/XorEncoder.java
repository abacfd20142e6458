package dev.sluice.checkpoint.delta;

import java.io.IOException;

/** Compresses the difference as it comes. */
final class XorEncoder extends TensorEncoder {
    XorEncoder(DeltaChecksum checksum, Spool frames) {
        super(checksum, frames);
    }

    @Override
    void begin(long tensorBytes) {
        frame.begin(tensorBytes);
    }

    @Override
    void compared(long position, int length, long changed) throws IOException {
        payload.clear().asLongBuffer().put(fresh.words, 0, ByteWindow.wordsOf(length));
        frame.write(payload.limit(length));
    }

    @Override
    void finish(long changed) {
        // The frame ended with the last byte of the tensor.
    }
}
