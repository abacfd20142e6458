package dev.sluice.checkpoint.delta;

import dev.sluice.checkpoint.CheckpointException;
import dev.sluice.checkpoint.HuggingFaceCheckpoint;
import dev.sluice.checkpoint.NewDirectory;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

/** Deltas of one stream that follow on each other. */
public final class DeltaChain {
    private final List<Path> directories;

    private DeltaChain(List<Path> directories) {
        this.directories = List.copyOf(directories);
    }

    /**
     * Finds the deltas after one version up to another; reads their indexes only.
     *
     * @param stream directory of all versions
     * @throws CheckpointException if one is missing, is a whole checkpoint, or does not build on the one before
     */
    public static DeltaChain between(Path stream, WeightVersion from, WeightVersion to) {
        List<Path> directories = new ArrayList<>();
        for (WeightVersion version = from; version.number() < to.number(); version = version.next()) {
            Path directory = version.next().directory(stream);
            if (!DeltaIndex.isIn(directory)) {
                throw new CheckpointException(
                        "%s is a whole checkpoint, not a delta on version %s; start from it instead"
                                .formatted(directory, version.digits()));
            }
            DeltaIndex index = DeltaIndex.read(directory);
            if (!index.version().equals(version.next()) || !index.baseVersion().equals(version)) {
                throw new CheckpointException(
                        "%s takes version %s to %s, but version %s to %s is needed; publish a whole version"
                                .formatted(
                                        directory,
                                        index.baseVersion().digits(),
                                        index.version().digits(),
                                        version.digits(),
                                        version.next().digits()));
            }
            directories.add(directory);
        }
        return new DeltaChain(directories);
    }

    /** Directories of the deltas, oldest first. */
    public List<Path> directories() {
        return directories;
    }

    /**
     * Writes the last version whole into a new directory, which appears complete or not at all.
     *
     * @param base the version before the first delta
     * @throws CheckpointException if a delta is refused, a checksum differs, the target exists or the disk fails
     */
    public void apply(Path base, Path target, int threads) {
        try (NewDirectory created = NewDirectory.beside(target)) {
            created.reserve(CheckpointCopy.bytes(base));
            CheckpointCopy.into(base, created.path());
            patch(created.path(), threads, delta -> {}, delta -> {});
            created.publish();
        }
    }

    /**
     * Compares a checkpoint with what base and deltas make: changed tensors with the checksum of their last delta, all others byte for byte with the base.
     *
     * @throws CheckpointException naming every tensor that differs
     */
    public void verify(Path base, Path checkpoint, int threads) {
        ChainVerification.run(directories, base, checkpoint, threads);
    }

    /**
     * Patches a checkpoint delta by delta.
     *
     * @param accepted told of a delta that has been checked, before the first byte changes
     * @param patched told when it is in
     */
    void patch(Path checkpoint, int threads, Consumer<DeltaCheckpoint> accepted, Consumer<DeltaCheckpoint> patched) {
        for (Path directory : directories) {
            try (HuggingFaceCheckpoint opened = HuggingFaceCheckpoint.open(checkpoint);
                    DeltaCheckpoint delta = DeltaCheckpoint.open(directory)) {
                delta.checkAgainst(opened);
                accepted.accept(delta);
                InPlace.apply(opened, delta, threads);
                patched.accept(delta);
            }
        }
    }
}
