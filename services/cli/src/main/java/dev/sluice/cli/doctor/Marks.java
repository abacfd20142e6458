package dev.sluice.cli.doctor;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import dev.sluice.http.Json;
import java.io.IOException;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.time.Instant;
import java.time.format.DateTimeParseException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * Small files that hosts leave in the data root, by which they know that they see the same one.
 *
 * @param folder below the data root
 */
record Marks(Path folder) {
    /** Older ones say nothing about today's mounts. */
    static final Duration VALID = Duration.ofHours(24);

    private static final int MOST_BYTES = 4096;
    private static final int MOST_MARKS = 10_000;
    private static final String SUFFIX = ".mark.json";

    static Marks in(Path dataRoot) {
        return new Marks(dataRoot.resolve("doctor"));
    }

    /**
     * A host's mark.
     *
     * @param time by the host's clock, when it wrote
     * @param writtenAt by the file system's clock, when it was written
     */
    record Mark(String host, Instant time, Instant writtenAt) {
        /** How far the host's clock is ahead of the file system's. */
        Duration ahead() {
            return Duration.between(writtenAt, time);
        }
    }

    /** Leaves this host's mark, in place of its last one. */
    Mark leave(String host, Instant now) throws IOException {
        Files.createDirectories(folder);
        Path file = folder.resolve(host.replaceAll("[^A-Za-z0-9._-]", "_") + SUFFIX);
        Path draft = folder.resolve(
                file.getFileName() + ".draft-" + ProcessHandle.current().pid());
        Files.writeString(
                draft, Json.MAPPER.createObjectNode().put("host", host).put("time", now.toString()) + "\n");
        Files.move(draft, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        return new Mark(host, now, Files.getLastModifiedTime(file).toInstant());
    }

    void remove(String host) throws IOException {
        Files.deleteIfExists(folder.resolve(host.replaceAll("[^A-Za-z0-9._-]", "_") + SUFFIX));
        try {
            Files.deleteIfExists(folder);
        } catch (DirectoryNotEmptyException e) {
            // Other hosts' marks lie there.
        }
    }

    /** Marks of the last day, this host's too. */
    List<Mark> all(Instant now) throws IOException {
        if (!Files.isDirectory(folder)) {
            return List.of();
        }
        List<Path> files;
        try (Stream<Path> entries = Files.list(folder)) {
            files = entries.filter(file -> file.getFileName().toString().endsWith(SUFFIX))
                    .sorted()
                    .limit(MOST_MARKS)
                    .toList();
        }
        List<Mark> marks = new ArrayList<>();
        for (Path file : files) {
            read(file)
                    .filter(mark -> mark.writtenAt().isAfter(now.minus(VALID)))
                    .ifPresent(marks::add);
        }
        return marks;
    }

    private static Optional<Mark> read(Path file) throws IOException {
        if (Files.size(file) > MOST_BYTES) {
            return Optional.empty();
        }
        try {
            JsonNode mark = Json.MAPPER.readTree(Files.readString(file));
            return Optional.of(new Mark(
                    mark.path("host").asText(),
                    Instant.parse(mark.path("time").asText()),
                    Files.getLastModifiedTime(file).toInstant()));
        } catch (JsonProcessingException | DateTimeParseException e) {
            return Optional.empty(); // not one of ours
        }
    }
}
