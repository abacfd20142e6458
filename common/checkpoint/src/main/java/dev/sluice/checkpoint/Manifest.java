package dev.sluice.checkpoint;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.stream.Stream;

/**
 * {@code manifest.json} lists every file of a directory with size and SHA-256, sorted by path; the manifest's own SHA-256 therefore stands for the whole
 * directory.
 */
public final class Manifest {
    public static final String FILE = "manifest.json";

    private static final int MAX_FILES = 100_000;

    private record Listed(long bytes, String sha256) {}

    private Manifest() {}

    /**
     * Lists a directory that nothing writes to any more.
     *
     * @return the SHA-256 of the manifest file, in lower-case hexadecimal
     */
    public static String write(Path directory) {
        ObjectNode root = Json.MAPPER.createObjectNode().put("formatVersion", 1);
        ArrayNode files = root.putArray("files");
        for (String path : paths(directory)) {
            Listed listed = hash(directory.resolve(path));
            files.addObject().put("path", path).put("bytes", listed.bytes).put("sha256", listed.sha256);
        }
        byte[] content = Json.pretty(root);
        DurableFiles.write(directory.resolve(FILE), content);
        return HexFormat.of().formatHex(digest().digest(content));
    }

    /**
     * Reads every file again.
     *
     * @return the SHA-256 of the manifest file, to be compared with the one that was announced
     * @throws CheckpointException naming every file that is missing, surplus or different
     */
    public static String verify(Path directory) {
        Path file = directory.resolve(FILE);
        if (!Files.isRegularFile(file)) {
            throw new CheckpointException(directory + " has no " + FILE + "; it was never finished");
        }
        SortedMap<String, Listed> expected = read(file);
        List<String> problems = new ArrayList<>();
        List<String> present = paths(directory);
        present.stream()
                .filter(path -> !expected.containsKey(path))
                .forEach(path -> problems.add(path + " is not listed"));
        expected.forEach((path, listed) -> {
            if (!present.contains(path)) {
                problems.add(path + " is missing");
                return;
            }
            Listed found = hash(directory.resolve(path));
            if (!found.equals(listed)) {
                problems.add("%s has %d bytes with SHA-256 %s, not %d bytes with %s"
                        .formatted(path, found.bytes, found.sha256, listed.bytes, listed.sha256));
            }
        });
        if (!problems.isEmpty()) {
            throw new CheckpointException("%s differs from its manifest: %s; restore it or use an older one"
                    .formatted(directory, String.join("; ", problems)));
        }
        return hash(file).sha256;
    }

    private static SortedMap<String, Listed> read(Path file) {
        SortedMap<String, Listed> listed = new TreeMap<>();
        for (JsonNode node : Json.file(file).path("files")) {
            listed.put(
                    node.path("path").asText(),
                    new Listed(
                            node.path("bytes").asLong(-1), node.path("sha256").asText()));
        }
        return listed;
    }

    private static List<String> paths(Path directory) {
        try (Stream<Path> walk = Files.walk(directory)) {
            List<String> paths = walk.filter(path -> !Files.isDirectory(path))
                    .map(path -> directory.relativize(path).toString().replace('\\', '/'))
                    .filter(path -> !path.equals(FILE))
                    .sorted()
                    .limit(MAX_FILES + 1L)
                    .toList();
            if (paths.size() > MAX_FILES) {
                throw new CheckpointException("%s holds more than %d files".formatted(directory, MAX_FILES));
            }
            return paths;
        } catch (IOException e) {
            throw new CheckpointException("cannot list " + directory + ": " + e, e);
        }
    }

    private static Listed hash(Path file) {
        MessageDigest digest = digest();
        ByteBuffer window = ByteBuffer.allocate(1 << 20);
        long bytes = 0;
        try (FileChannel in = FileChannel.open(file, StandardOpenOption.READ)) {
            while (in.read(window) >= 0) {
                bytes += window.flip().remaining();
                digest.update(window);
                window.clear();
            }
        } catch (IOException e) {
            throw new CheckpointException("cannot read " + file + ": " + e, e);
        }
        return new Listed(bytes, HexFormat.of().formatHex(digest.digest()));
    }

    private static MessageDigest digest() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }
}
