package dev.sluice.checkpoint.delta;

import java.io.IOException;
import java.nio.ByteBuffer;

/** Patches tensors, one after the other, in windows. */
abstract sealed class TensorDecoder permits XorDecoder, OverwriteDecoder {
    /** Large enough that calls of the file system cost little, small enough for a core's second-level cache. */
    static final int WINDOW_BYTES = 64 << 10;

    final ByteWindow tensor = new ByteWindow(WINDOW_BYTES);

    static TensorDecoder of(DeltaEncoding encoding) {
        return switch (encoding) {
            case XOR -> new XorDecoder();
            case OVERWRITE -> new OverwriteDecoder();
        };
    }

    /**
     * Patches a tensor in place.
     *
     * @param digest takes all new bytes
     * @throws dev.sluice.checkpoint.CheckpointException if the delta cannot be of this tensor; the tensor may then be half patched
     */
    final void apply(StoredDelta delta, TensorRegion region, TensorDigest digest) throws IOException {
        try (FrameReader frame = new FrameReader(delta)) {
            begin(delta, frame, region.bytes());
            for (long position = 0; position < region.bytes(); position += WINDOW_BYTES) {
                int length = (int) Math.min(WINDOW_BYTES, region.bytes() - position);
                ByteBuffer bytes = tensor.first(length);
                region.read(position, bytes);
                boolean changed = patch(frame, position, length);
                digest.update(tensor.bytes, length);
                if (changed) {
                    region.write(position, bytes.flip());
                }
            }
            frame.finish();
        }
    }

    abstract void begin(StoredDelta delta, FrameReader frame, long tensorBytes);

    /** Brings the bytes of the window up to date; false if they stay as they are. */
    abstract boolean patch(FrameReader frame, long position, int length);
}
