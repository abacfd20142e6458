package dev.sluice.checkpoint;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Room for an output, asked for before anything is written. */
final class DiskSpace {
    private DiskSpace() {}

    /** Bytes left where a path is or would be created. */
    static long free(Path path) {
        Path existing = path.toAbsolutePath().normalize();
        while (!Files.exists(existing) && existing.getParent() != null) {
            existing = existing.getParent();
        }
        try {
            return Files.getFileStore(existing).getUsableSpace();
        } catch (IOException e) {
            throw new CheckpointException("cannot ask for the free space at " + existing + ": " + e, e);
        }
    }

    /** Refuses when the file system cannot hold so much more. */
    static void check(Path target, long bytes) {
        long free = free(target);
        if (free < bytes) {
            throw new DiskFullException(
                    "%s needs %d bytes, but its file system has %d left; free %d bytes or choose another disk"
                            .formatted(target, bytes, free, bytes - free));
        }
    }
}
