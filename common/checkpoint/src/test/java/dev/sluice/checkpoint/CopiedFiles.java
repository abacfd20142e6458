package dev.sluice.checkpoint;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;

/** Directories of files, copied and compared. */
final class CopiedFiles {
    private CopiedFiles() {}

    /** Copies a directory with its directories, in place of what is there. */
    static Path copy(Path source, Path target) throws IOException {
        for (String path : content(source).keySet()) {
            Files.createDirectories(target.resolve(path).getParent());
            Files.write(target.resolve(path), Files.readAllBytes(source.resolve(path)));
        }
        return target;
    }

    /** Every file below a directory, with its bytes as text of one byte a character. */
    static Map<String, String> content(Path directory) throws IOException {
        Map<String, String> content = new TreeMap<>();
        try (Stream<Path> walk = Files.walk(directory)) {
            for (Path path : walk.filter(Files::isRegularFile).toList()) {
                String bytes = new String(Files.readAllBytes(path), java.nio.charset.StandardCharsets.ISO_8859_1);
                content.put(directory.relativize(path).toString(), bytes);
            }
        }
        return content;
    }
}
