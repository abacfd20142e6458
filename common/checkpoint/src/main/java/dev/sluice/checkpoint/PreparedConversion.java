package dev.sluice.checkpoint;

import java.nio.file.Path;
import java.util.List;

/**
 * A conversion whose every output byte is decided.
 *
 * @param target the new directory
 * @param key names source and layout: an interrupted conversion goes on only under the same key
 */
record PreparedConversion(Path target, OutputLayout layout, String key) {
    /** @param sources the directories that the layout's sources read */
    static PreparedConversion of(Path target, OutputLayout layout, List<Path> sources) {
        return new PreparedConversion(
                target.toAbsolutePath().normalize(), layout, SourceKey.of(sources, layout.signature()));
    }

    /** Bytes that an interrupted attempt claims to have written. */
    long bytesKept() {
        return ResumableDirectory.bytesKept(target, key);
    }

    /** Attempts at the same target under other keys. */
    List<UnfinishedConversion> unfinished() {
        return ResumableDirectory.unfinished(target, key);
    }

    /** Writes what is still to be written; the target then appears complete. */
    void run(WriteSettings settings, Progress progress) {
        ResumableDirectory.checkAbsent(target);
        DiskSpace.check(target, layout.bytes() - bytesKept());
        try (ResumableDirectory directory = ResumableDirectory.open(target, key)) {
            List<HashedTensor> tensors =
                    LayoutWriter.write(directory.path(), layout, directory.journal(), settings, progress);
            Manifest.write(directory.path(), tensors);
            directory.publish();
        }
    }
}
