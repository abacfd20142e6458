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
    int compare(long position, int length) throws IOException {
        int changed = ByteDifference.xor(old.bytes, fresh.bytes, length);
        frame.write(old.first(length));
        return changed;
    }

    @Override
    void finish(long changed) {
        // The frame ended with the last byte of the tensor.
    }
}
