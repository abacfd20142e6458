package dev.sluice.converter;

import dev.sluice.checkpoint.CheckpointException;
import dev.sluice.converter.RememberedHashes.Hashed;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.stream.Stream;

/**
 * Names a Hugging Face directory by its content, so that the same model is converted once whatever its path: the SHA-256
 * over a line with name, size and SHA-256 of config.json and of each safetensors file, in the order of their names.
 *
 * @param sha256 in lower-case hexadecimal
 * @param files what was counted
 */
record ContentKey(Path directory, String sha256, SortedMap<String, Hashed> files) {

    static ContentKey of(Path huggingFace, RememberedHashes hashes, RememberedHashes.Reading reading)
            throws IOException {
        SortedMap<String, Hashed> files = hashes.hash(huggingFace, counted(huggingFace), reading);
        MessageDigest digest = FileHashes.sha256();
        files.forEach((name, file) -> digest.update("%s\n%d\n%s\n"
                .formatted(name, file.state().bytes(), file.sha256())
                .getBytes(StandardCharsets.UTF_8)));
        return new ContentKey(huggingFace, HexFormat.of().formatHex(digest.digest()), files);
    }

    /**
     * To be asked after a conversion: otherwise the name would stand for another content.
     *
     * @throws CheckpointException if a file is no longer the one that was hashed
     */
    void checkUnchanged() throws IOException {
        boolean same = counted(directory).equals(List.copyOf(files.keySet()));
        for (Map.Entry<String, Hashed> file : files.entrySet()) {
            same = same
                    && FileState.of(directory.resolve(file.getKey()))
                            .equals(file.getValue().state());
        }
        if (!same) {
            throw new CheckpointException(
                    "%s changed while it was converted, so the conversion was thrown away; submit the run again when nothing writes there any more"
                            .formatted(directory));
        }
    }

    private static List<String> counted(Path huggingFace) throws IOException {
        try (Stream<Path> files = Files.list(huggingFace)) {
            return files.map(file -> file.getFileName().toString())
                    .filter(name -> name.equals("config.json") || name.endsWith(".safetensors"))
                    .sorted()
                    .toList();
        }
    }
}
