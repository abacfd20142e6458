package dev.sluice.checkpoint;

import org.jspecify.annotations.Nullable;

/**
 * Consecutive bytes of a file that one source writes.
 *
 * @param begin position in the file
 * @param tensor the tensor among these bytes, if there is one
 */
record Piece(long begin, long bytes, @Nullable StoredTensor tensor, Content content) {
    long end() {
        return begin + bytes;
    }
}
