package dev.sluice.checkpoint.delta;

import java.io.IOException;
import java.nio.ByteBuffer;

/** The bytes of a tensor where it is patched. */
interface TensorRegion {
    long bytes();

    /** Fills the buffer from a position within the tensor. */
    void read(long position, ByteBuffer window) throws IOException;

    void write(long position, ByteBuffer window) throws IOException;
}
