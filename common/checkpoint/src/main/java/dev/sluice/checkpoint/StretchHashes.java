package dev.sluice.checkpoint;

import java.util.List;

/**
 * XXH3-64 of a stretch of a file.
 *
 * @param tensors of each tensor in it, in order
 * @param rest of its other bytes
 */
record StretchHashes(List<Long> tensors, long rest) {
    StretchHashes {
        tensors = List.copyOf(tensors);
    }
}
