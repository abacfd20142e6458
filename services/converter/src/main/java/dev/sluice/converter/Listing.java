package dev.sluice.converter;

import com.fasterxml.jackson.core.JsonProcessingException;
import dev.sluice.checkpoint.DurableFiles;
import dev.sluice.checkpoint.Manifest;
import dev.sluice.events.EventJson;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * What a finished conversion is; {@code NAME.files.json} beside its directory. It is written last, so a directory without
 * one does not count.
 *
 * @param source what it was made from
 * @param carriedOver tensors of an export that the trained model lacks
 * @param bytes of all files
 * @param manifestSha256 stands for every file and byte
 */
record Listing(String source, List<String> carriedOver, long bytes, String manifestSha256) {
    private static final long MAX_BYTES = 64L << 20;

    Listing {
        carriedOver = List.copyOf(carriedOver);
    }

    /** Lists what was just converted. */
    static Listing of(Path directory, String source, List<String> carriedOver) throws IOException {
        try (Stream<Path> walk = Files.walk(directory)) {
            long bytes = walk.filter(Files::isRegularFile)
                    .mapToLong(path -> path.toFile().length())
                    .sum();
            return new Listing(source, carriedOver, bytes, Manifest.sha256(directory));
        }
    }

    static Optional<Listing> read(Path directory) throws IOException {
        Path file = fileOf(directory);
        if (!Files.isRegularFile(file) || Files.size(file) > MAX_BYTES) {
            return Optional.empty();
        }
        try {
            return Optional.ofNullable(EventJson.mapper().readValue(file.toFile(), Listing.class))
                    .filter(read -> read.source != null && read.manifestSha256 != null);
        } catch (JsonProcessingException e) {
            return Optional.empty();
        }
    }

    static Path fileOf(Path directory) {
        return directory.resolveSibling(directory.getFileName() + ".files.json");
    }

    void write(Path directory) throws IOException {
        DurableFiles.write(fileOf(directory), EventJson.mapper().writeValueAsBytes(this));
    }
}
