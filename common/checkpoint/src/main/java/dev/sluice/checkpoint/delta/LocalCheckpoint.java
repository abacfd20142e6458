package dev.sluice.checkpoint.delta;

import dev.sluice.checkpoint.CheckpointException;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Supplier;

/**
 * A host's own copy of a model, patched in place from version to version, as slime's {@code /pull_weights} keeps it. A crash in the middle is noticed by
 * the next pull, which starts from the newest whole checkpoint again.
 *
 * @param directory the copy; only its files are touched, and {@code .weight_sync} in it
 * @param base version 0, which the engine was started from
 */
public record LocalCheckpoint(Path directory, Path base) {
    public LocalCheckpoint {
        directory = directory.toAbsolutePath().normalize();
        base = base.toAbsolutePath().normalize();
        if (directory.equals(base)) {
            throw new CheckpointException(directory + " is the base itself; patch a copy in another directory");
        }
    }

    /** The version that the copy holds; empty before the first pull and after one that failed or was cut off. */
    public Optional<WeightVersion> version() {
        return marker().read();
    }

    /**
     * Makes the copy anew from a whole checkpoint.
     *
     * @throws CheckpointException if another pull into this copy is running, or the disk fails
     */
    public void replace(Path whole, WeightVersion version) {
        alone(() -> {
            restart(whole, version);
            return null;
        });
    }

    /**
     * Brings the copy to a version: from the newest whole checkpoint up to there, or from where it stands if that is newer, delta by delta.
     *
     * @param stream directory of all versions
     * @param threads how many tensors are patched at once
     * @throws CheckpointException if a version is missing or refused, a checksum differs, another pull into this copy is running, or the disk fails
     */
    public PulledWeights pull(Path stream, WeightVersion target, int threads) {
        return alone(() -> pullAlone(stream, target, threads));
    }

    private <T> T alone(Supplier<T> work) {
        Path lockFile = marker().lockFile();
        try {
            Files.createDirectories(lockFile.getParent());
            try (FileChannel channel = FileChannel.open(lockFile, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
                    FileLock lock = channel.tryLock()) {
                if (lock == null) {
                    throw running(lockFile);
                }
                return work.get();
            }
        } catch (OverlappingFileLockException e) {
            throw running(lockFile);
        } catch (IOException e) {
            throw new CheckpointException("cannot lock " + lockFile + ": " + e, e);
        }
    }

    private PulledWeights pullAlone(Path stream, WeightVersion target, int threads) {
        Optional<WeightVersion> held = version().filter(version -> version.number() <= target.number());
        WeightVersion floor = held.orElse(new WeightVersion(0));
        WeightVersion start = target;
        while (start.number() > floor.number() && DeltaIndex.isIn(start.directory(stream))) {
            start = start.previous();
        }
        DeltaChain chain = DeltaChain.between(stream, start, target);
        boolean restart = held.isEmpty() || start.number() > floor.number();
        if (restart) {
            restart(start.number() == 0 ? base : start.directory(stream), start);
        }
        AtomicLong wireBytes = new AtomicLong();
        chain.patch(directory, threads, delta -> marker().remove(), delta -> {
            marker().write(delta.version());
            wireBytes.addAndGet(delta.wireBytes());
        });
        return new PulledWeights(target, restart, chain.directories().size(), wireBytes.get());
    }

    private void restart(Path whole, WeightVersion version) {
        marker().remove();
        CheckpointCopy.into(whole, directory);
        marker().write(version);
    }

    private VersionMarker marker() {
        return new VersionMarker(directory);
    }

    private CheckpointException running(Path lockFile) {
        return new CheckpointException(
                "another pull into %s is running (it holds %s); wait for it".formatted(directory, lockFile));
    }
}
