package dev.sluice.trainer.run;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Removes directories of a run. What cannot be removed is logged and stays: disk space is no reason to end a run. */
public final class DirectoryRemoval {
    private static final Logger LOG = LoggerFactory.getLogger(DirectoryRemoval.class);

    private DirectoryRemoval() {}

    /** Removes a directory with all that is in it, if it lies below the root; links are removed, not followed. */
    public static void below(Path root, Path directory) {
        Path normal = directory.toAbsolutePath().normalize();
        if (!normal.startsWith(root.toAbsolutePath().normalize()) || normal.equals(root)) {
            LOG.warn("not removed, because it lies outside the run's folder directory={} root={}", directory, root);
            return;
        }
        remove(normal);
    }

    private static void remove(Path directory) {
        if (!Files.exists(directory)) {
            return;
        }
        try (Stream<Path> walk = Files.walk(directory)) {
            List<Path> paths = walk.sorted(Comparator.reverseOrder()).toList();
            for (Path path : paths) {
                Files.deleteIfExists(path);
            }
        } catch (IOException e) {
            LOG.warn("a directory stays directory={} error={}", directory, e.toString());
        }
    }

    /**
     * Makes way for a directory that a worker is to create: its parent exists, and what an attempt of this epoch that no
     * event names has left is gone.
     */
    public static Path prepare(Path directory) {
        remove(directory);
        try {
            Files.createDirectories(directory.getParent());
        } catch (IOException e) {
            throw new TrainingRefusedException(
                    "the folder %s cannot be created (%s); see that the data root is writable and has space"
                            .formatted(directory.getParent(), e),
                    e);
        }
        return directory;
    }
}
