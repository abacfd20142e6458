package dev.sluice.checkpoint;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.stream.Stream;

/** The plain files of a checkpoint with their sizes; directories below it are no part of it. */
final class Listing {
    private Listing() {}

    static SortedMap<String, Long> of(Path directory) {
        SortedMap<String, Long> bytes = new TreeMap<>();
        try (Stream<Path> listed = Files.list(directory)) {
            for (Path file : listed.filter(Files::isRegularFile).toList()) {
                bytes.putAll(ofFile(file));
            }
            return bytes;
        } catch (IOException e) {
            throw new CheckpointException("cannot list " + directory + ": " + e, e);
        }
    }

    static SortedMap<String, Long> ofFile(Path file) {
        try {
            return new TreeMap<>(java.util.Map.of(file.getFileName().toString(), Files.size(file)));
        } catch (IOException e) {
            throw new CheckpointException("cannot read " + file + ": " + e, e);
        }
    }
}
