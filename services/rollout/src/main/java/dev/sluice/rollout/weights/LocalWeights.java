package dev.sluice.rollout.weights;

import dev.sluice.checkpoint.CheckpointException;
import dev.sluice.checkpoint.delta.LocalCheckpoint;
import dev.sluice.checkpoint.delta.WeightVersion;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * This host's own copy of a run's weights, which deltas patch in place: only what changed travels. Every tensor's checksum is
 * compared after a patch. Used by one thread at a time.
 */
public final class LocalWeights {
    private static final Logger LOG = LoggerFactory.getLogger(LocalWeights.class);
    private static final int THREADS = Math.max(1, Runtime.getRuntime().availableProcessors() / 2);

    private final LocalCheckpoint copy;

    /**
     * @param directory of the copy; made when it is first needed
     * @param source version 0
     */
    public LocalWeights(Path directory, Path source) {
        this.copy = new LocalCheckpoint(directory, source);
    }

    boolean holds(int version) {
        return copy.version().filter(held -> held.number() == version).isPresent();
    }

    /**
     * Applies a delta.
     *
     * @param delta a directory named by its version, beside those of other deltas
     */
    WeightSource patched(int version, Path delta) throws IOException {
        try {
            copy.pull(delta.getParent(), new WeightVersion(version), THREADS);
        } catch (CheckpointException e) {
            throw new IOException(e.getMessage(), e);
        }
        return source(version);
    }

    /** Replaces the copy by a whole version. */
    WeightSource copied(int version, Path whole) throws IOException {
        try {
            copy.replace(whole, new WeightVersion(version));
        } catch (CheckpointException e) {
            throw new IOException(e.getMessage(), e);
        }
        return source(version);
    }

    /** The run is over: nobody needs the copy any more. What cannot be removed stays. */
    public void remove() {
        Path directory = copy.directory();
        if (!Files.exists(directory)) {
            return;
        }
        try (Stream<Path> walk = Files.walk(directory)) {
            for (Path path : walk.sorted(Comparator.reverseOrder()).toList()) {
                Files.deleteIfExists(path);
            }
        } catch (IOException e) {
            LOG.warn("weights of a run stay directory={} error={}", directory, e.toString());
        }
    }

    private WeightSource source(int version) {
        return new WeightSource(version, copy.directory().toString());
    }
}
