package dev.sluice.checkpoint;

import java.io.IOException;
import java.nio.channels.WritableByteChannel;

/** A tensor's bytes as stored, of which any run of elements can be asked for. */
@FunctionalInterface
interface RangedContent {
    /**
     * Writes some of the elements in pieces of whole ones.
     *
     * @param first the first element, counted row-major
     * @param elements how many
     */
    void writeTo(WritableByteChannel out, long first, long elements) throws IOException;
}
