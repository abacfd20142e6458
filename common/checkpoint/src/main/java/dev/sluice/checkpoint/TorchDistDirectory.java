package dev.sluice.checkpoint;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.OptionalLong;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Names inside a torch_dist checkpoint: the tracker file at the root and one directory for an iteration. */
final class TorchDistDirectory {
    static final String TRACKER = "latest_checkpointed_iteration.txt";
    static final String METADATA = ".metadata";
    static final String FORMAT = "metadata.json";
    static final String COMMON = "common.pt";
    static final String COMMON_KEY = "common_state/shard_0_1";
    static final String RELEASE = "release";

    private static final Pattern ITERATION = Pattern.compile("iter_(\\d{7,9})");

    private TorchDistDirectory() {}

    /** The directory of an iteration; empty means a release, which holds weights only. */
    static String name(OptionalLong iteration) {
        return iteration.isPresent() ? "iter_%07d".formatted(iteration.getAsLong()) : RELEASE;
    }

    static OptionalLong iteration(Path directory) {
        Matcher matcher =
                ITERATION.matcher(directory.toAbsolutePath().getFileName().toString());
        return matcher.matches() ? OptionalLong.of(Long.parseLong(matcher.group(1))) : OptionalLong.empty();
    }

    /** The iteration's directory, from the root with its tracker or from itself. */
    static Path resolve(Path path) {
        Path tracker = path.resolve(TRACKER);
        Path directory = Files.isRegularFile(tracker) ? path.resolve(tracked(tracker)) : path;
        if (!Files.isRegularFile(directory.resolve(FORMAT)) || !Files.isRegularFile(directory.resolve(METADATA))) {
            throw new CheckpointException(
                    "%s is not a complete torch_dist checkpoint: it needs %s and %s; give its root or a finished iteration"
                            .formatted(directory, FORMAT, METADATA));
        }
        return directory;
    }

    /**
     * A file of an iteration, which may be missing.
     *
     * @throws CheckpointException if it is a link that leads elsewhere; a download cache may keep its content in {@code blobs} beside {@code snapshots}
     */
    static Path file(Path directory, String name) {
        Path file = directory.resolve(name);
        try {
            if (Files.exists(file)) {
                Path real = file.toRealPath();
                Path root = directory.toRealPath();
                if (!real.startsWith(root) && !isCached(real, root)) {
                    throw new CheckpointException(
                            "%s is a link to %s, outside of the checkpoint; put the file itself there"
                                    .formatted(file, real));
                }
            }
            return file;
        } catch (IOException e) {
            throw new CheckpointException("cannot read " + file + ": " + e, e);
        }
    }

    private static boolean isCached(Path file, Path root) {
        for (Path up = root; up.getFileName() != null; up = up.getParent()) {
            if (up.getFileName().toString().equals("snapshots")) {
                return file.startsWith(up.resolveSibling("blobs"));
            }
        }
        return false;
    }

    private static String tracked(Path tracker) {
        try {
            String content =
                    Files.size(tracker) > 64 ? "?" : Files.readString(tracker).strip();
            if (content.equals(RELEASE)) {
                return RELEASE;
            }
            if (content.matches("\\d{1,9}")) {
                return name(OptionalLong.of(Long.parseLong(content)));
            }
            throw new CheckpointException(
                    "%s says neither \"release\" nor an iteration; write the number of a finished one into it"
                            .formatted(tracker));
        } catch (IOException e) {
            throw new CheckpointException("cannot read " + tracker + ": " + e, e);
        }
    }
}
