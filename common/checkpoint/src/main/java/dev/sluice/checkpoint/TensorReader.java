package dev.sluice.checkpoint;

import java.nio.ByteBuffer;

/** One stored tensor, read piece by piece; for one thread at a time. */
@FunctionalInterface
public interface TensorReader {
    /** The window's elements, row-major and little-endian; mapped where they lie together, else assembled. */
    ByteBuffer read(Window window);
}
