package dev.sluice.converter;

import com.fasterxml.jackson.core.JsonProcessingException;
import dev.sluice.events.EventJson;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.LongConsumer;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * What a finished conversion consists of; {@code NAME.files.json} beside its directory. It is written last, so a directory
 * without one does not count.
 *
 * @param source what it was made from
 * @param carriedOver tensors of an export that the trained model lacks
 * @param files by relative path
 */
record Listing(String source, List<String> carriedOver, SortedMap<String, Listed> files) {
    private static final long MAX_BYTES = 64L << 20;

    Listing {
        carriedOver = List.copyOf(carriedOver);
    }

    /** @param sha256 absent where nobody asked for it */
    record Listed(long bytes, @Nullable String sha256) {}

    /** Lists what is there now, without hashes. */
    static Listing of(Path directory, String source, List<String> carriedOver) throws IOException {
        SortedMap<String, Listed> files = new TreeMap<>();
        sizes(directory).forEach((path, bytes) -> files.put(path, new Listed(bytes, null)));
        return new Listing(source, carriedOver, files);
    }

    static Optional<Listing> read(Path directory) throws IOException {
        Path file = fileOf(directory);
        if (!Files.isRegularFile(file) || Files.size(file) > MAX_BYTES) {
            return Optional.empty();
        }
        try {
            return Optional.ofNullable(EventJson.mapper().readValue(file.toFile(), Listing.class))
                    .filter(Listing::complete);
        } catch (JsonProcessingException e) {
            return Optional.empty();
        }
    }

    private boolean complete() {
        return source != null && files != null && files.values().stream().noneMatch(Objects::isNull);
    }

    boolean hasHashes() {
        return files.values().stream().noneMatch(file -> file.sha256 == null);
    }

    static Path fileOf(Path directory) {
        return directory.resolveSibling(directory.getFileName() + ".files.json");
    }

    void write(Path directory) throws IOException {
        DurableFile.write(fileOf(directory), EventJson.mapper().writeValueAsBytes(this));
    }

    long bytes() {
        return files.values().stream().mapToLong(Listed::bytes).sum();
    }

    /** What is missing, surplus or of another size; reads no content. */
    List<String> problems(Path directory) throws IOException {
        SortedMap<String, Long> found = sizes(directory);
        List<String> problems = new ArrayList<>();
        files.forEach((path, listed) -> {
            Long bytes = found.remove(path);
            if (bytes == null) {
                problems.add(path + " is missing");
            } else if (bytes != listed.bytes) {
                problems.add("%s has %d bytes, not %d".formatted(path, bytes, listed.bytes));
            }
        });
        found.keySet().forEach(path -> problems.add(path + " does not belong there"));
        return problems;
    }

    /** The files whose content is another than it was; reads every byte of those that have a hash. */
    List<String> changedContents(Path directory, int threads, LongConsumer read) {
        SortedMap<String, String> found = hashes(directory, threads, read);
        return files.entrySet().stream()
                .filter(file -> file.getValue().sha256 != null)
                .filter(file -> !file.getValue().sha256.equals(found.get(file.getKey())))
                .map(file -> file.getKey() + " has another content than when it was made")
                .toList();
    }

    /** The same with hashes of what is there now, for full checks later. */
    Listing hashed(Path directory, int threads, LongConsumer read) {
        SortedMap<String, String> hashes = hashes(directory, threads, read);
        SortedMap<String, Listed> hashed = new TreeMap<>();
        files.forEach((path, listed) -> hashed.put(path, new Listed(listed.bytes, hashes.get(path))));
        return new Listing(source, carriedOver, hashed);
    }

    private SortedMap<String, String> hashes(Path directory, int threads, LongConsumer read) {
        List<Path> paths = files.keySet().stream().map(directory::resolve).toList();
        SortedMap<String, String> hashes = new TreeMap<>();
        FileHashes.of(paths, threads, read).forEach((path, hash) -> hashes.put(relative(directory, path), hash));
        return hashes;
    }

    private static SortedMap<String, Long> sizes(Path directory) throws IOException {
        try (Stream<Path> walk = Files.walk(directory)) {
            return walk.filter(path -> !Files.isDirectory(path))
                    .collect(Collectors.toMap(
                            path -> relative(directory, path),
                            path -> path.toFile().length(),
                            (one, other) -> one,
                            TreeMap::new));
        }
    }

    private static String relative(Path directory, Path path) {
        return directory.relativize(path).toString();
    }
}
