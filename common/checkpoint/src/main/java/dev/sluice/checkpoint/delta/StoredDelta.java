package dev.sluice.checkpoint.delta;

import dev.sluice.checkpoint.ByteRange;
import dev.sluice.checkpoint.CheckpointException;
import java.nio.file.Path;

/**
 * The delta of one tensor as it lies in a file.
 *
 * @param frame one zstd frame, whose slices are direct
 * @param checksum of the tensor's new bytes
 */
record StoredDelta(Path file, String tensor, ByteRange frame, String checksum) {
    CheckpointException refused(String what) {
        return new CheckpointException("%s: tensor %s: %s; publish the delta again".formatted(file, tensor, what));
    }
}
