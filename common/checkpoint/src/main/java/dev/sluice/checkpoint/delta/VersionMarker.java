package dev.sluice.checkpoint.delta;

import dev.sluice.checkpoint.CheckpointException;
import dev.sluice.checkpoint.DurableFiles;
import dev.sluice.checkpoint.Json;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/**
 * {@code .weight_sync/state.json} of a local copy, which slime's reader keeps too. It is there exactly while the copy is whole: slime's reader as well as
 * ours takes a copy without it for none and starts from a whole checkpoint.
 */
record VersionMarker(Path checkpoint) {
    private static final String DIRECTORY = ".weight_sync";

    Path lockFile() {
        return checkpoint.resolve(DIRECTORY).resolve("lock");
    }

    Optional<WeightVersion> read() {
        Path file = file();
        if (!Files.exists(file)) {
            return Optional.empty();
        }
        return Optional.of(WeightVersion.parse(Json.file(file).path("version").asText(), file + ": version"));
    }

    void write(WeightVersion version) {
        byte[] text = "{\"version\": \"%s\"}".formatted(version.digits()).getBytes(StandardCharsets.US_ASCII);
        DurableFiles.write(file(), text);
    }

    /** Must be on the disk before the first byte of the copy changes. */
    void remove() {
        try {
            if (Files.deleteIfExists(file())) {
                DurableFiles.syncDirectory(file().getParent());
            }
        } catch (IOException e) {
            throw new CheckpointException("cannot remove " + file() + ": " + e, e);
        }
    }

    private Path file() {
        return checkpoint.resolve(DIRECTORY).resolve("state.json");
    }
}
