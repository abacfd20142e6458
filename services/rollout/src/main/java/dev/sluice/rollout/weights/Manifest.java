package dev.sluice.rollout.weights;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;

/**
 * The list of a weight version's files, {@code manifest.json} beside them: {@code {"files": [{"name", "bytes",
 * "sha256"}]}}. Its own hash stands in the event, so together they prove that the files are those that the trainer wrote.
 */
final class Manifest {
    static final String FILE_NAME = "manifest.json";
    private static final int MAX_BYTES = 16 << 20;
    private static final int MAX_FILES = 10_000;
    private static final int BUFFER_BYTES = 1 << 20;
    private static final ObjectMapper JSON = new ObjectMapper();

    private record Entry(String name, long bytes, String sha256) {}

    private Manifest() {}

    /**
     * Checks every file of a directory.
     *
     * @param sha256 hash of the manifest, hexadecimal
     * @return how many files were checked
     * @throws IOException if a file is missing, unreadable or other than the manifest says; the message names it
     */
    static int verify(Path directory, String sha256) throws IOException {
        Path file = directory.resolve(FILE_NAME);
        if (!Files.isRegularFile(file)) {
            throw new IOException(file + " does not exist; is the data root the same directory on every host?");
        }
        if (Files.size(file) > MAX_BYTES) {
            throw new IOException(file + " has " + Files.size(file) + " bytes; a manifest has at most " + MAX_BYTES);
        }
        byte[] content = Files.readAllBytes(file);
        requireEqual(file, "sha-256", sha256.toLowerCase(Locale.ROOT), hex(sha256().digest(content)));
        List<Entry> entries = read(file, content);
        for (Entry entry : entries) {
            verify(directory, entry);
        }
        return entries.size();
    }

    private static void verify(Path directory, Entry entry) throws IOException {
        Path file = directory.resolve(entry.name()).normalize();
        if (!file.startsWith(directory.normalize()) || Path.of(entry.name()).isAbsolute()) {
            throw new IOException("the manifest of " + directory + " names '" + entry.name() + "', which lies outside");
        }
        if (!Files.isRegularFile(file)) {
            throw new IOException(file + " does not exist, but the manifest lists it");
        }
        requireEqual(file, "size", Long.toString(entry.bytes()), Long.toString(Files.size(file)));
        MessageDigest digest = sha256();
        try (InputStream in = Files.newInputStream(file)) {
            byte[] buffer = new byte[BUFFER_BYTES];
            for (int read = in.read(buffer); read >= 0; read = in.read(buffer)) {
                digest.update(buffer, 0, read);
            }
        }
        requireEqual(file, "sha-256", entry.sha256().toLowerCase(Locale.ROOT), hex(digest.digest()));
    }

    private static List<Entry> read(Path file, byte[] content) throws IOException {
        JsonNode files = JSON.readTree(content).path("files");
        if (!files.isArray() || files.isEmpty() || files.size() > MAX_FILES) {
            throw new IOException(file + " lists " + files.size() + " files; 1 to " + MAX_FILES + " are expected");
        }
        List<Entry> entries = new ArrayList<>();
        for (JsonNode entry : files) {
            String name = entry.path("name").asText("");
            String sha256 = entry.path("sha256").asText("");
            JsonNode bytes = entry.path("bytes");
            if (name.isEmpty() || sha256.isEmpty() || !bytes.canConvertToLong()) {
                throw new IOException(file + " has the entry " + entry + "; name, bytes and sha256 are expected");
            }
            entries.add(new Entry(name, bytes.asLong(), sha256));
        }
        return entries;
    }

    private static void requireEqual(Path file, String what, String expected, String found) throws IOException {
        if (!expected.equals(found)) {
            throw new IOException("%s has the %s %s; the trainer wrote %s".formatted(file, what, found, expected));
        }
    }

    private static MessageDigest sha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }

    private static String hex(byte[] digest) {
        return HexFormat.of().formatHex(digest);
    }
}
