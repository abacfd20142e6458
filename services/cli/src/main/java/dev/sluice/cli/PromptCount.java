package dev.sluice.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import dev.sluice.events.EventJson;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.OptionalInt;

/** The rows of a .jsonl file as slime counts them: lines that are JSON objects. */
final class PromptCount {
    private PromptCount() {}

    /**
     * @param base what the path is relative to
     * @return empty where there is no such file, or it is none of lines of text
     */
    static OptionalInt of(Path base, String path) {
        try {
            Path file = base.resolve(path);
            if (!path.endsWith(".jsonl") || !Files.isRegularFile(file)) {
                return OptionalInt.empty();
            }
            int rows = 0;
            try (BufferedReader lines = Files.newBufferedReader(file)) {
                for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                    rows += isRow(line) ? 1 : 0;
                }
            }
            return OptionalInt.of(rows);
        } catch (IOException | InvalidPathException e) {
            return OptionalInt.empty();
        }
    }

    private static boolean isRow(String line) {
        try {
            return EventJson.mapper().readTree(line).isObject();
        } catch (JsonProcessingException e) {
            return false;
        }
    }
}
