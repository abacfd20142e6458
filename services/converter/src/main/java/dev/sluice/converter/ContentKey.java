package dev.sluice.converter;

import dev.sluice.checkpoint.CheckpointException;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.DigestInputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import java.util.stream.Stream;

/**
 * Names a Hugging Face directory by its content, so that the same model is converted once whatever its path: the SHA-256
 * over name, size and bytes of config.json and of each safetensors file, in the order of their names.
 */
final class ContentKey {
    private ContentKey() {}

    static String of(Path huggingFace) {
        try (Stream<Path> files = Files.list(huggingFace)) {
            List<Path> counted = files.filter(ContentKey::counts).sorted().toList();
            MessageDigest digest = MessageDigest.getInstance("SHA-256");
            for (Path file : counted) {
                digest.update((file.getFileName() + "\n" + Files.size(file) + "\n").getBytes(StandardCharsets.UTF_8));
                try (var in = new DigestInputStream(Files.newInputStream(file), digest)) {
                    in.transferTo(OutputStream.nullOutputStream());
                }
            }
            return HexFormat.of().formatHex(digest.digest());
        } catch (IOException e) {
            throw new CheckpointException("cannot read " + huggingFace + ": " + e.getMessage(), e);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every JDK has SHA-256", e);
        }
    }

    private static boolean counts(Path file) {
        String name = file.getFileName().toString();
        return name.equals("config.json") || name.endsWith(".safetensors");
    }
}
