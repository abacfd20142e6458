package dev.sluice.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;

/** What engines themselves say of the tokens they generated, which no service of ours has touched. */
final class EngineJournals {
    private EngineJournals() {}

    /** @param runs the directory that holds the runs' */
    static long tokens(Path runs) throws IOException {
        long tokens = 0;
        try (Stream<Path> files = Files.walk(runs)) {
            for (Path journal :
                    files.filter(file -> file.toString().endsWith(".journal")).toList()) {
                for (String line : Files.readAllLines(journal)) {
                    JsonNode sample = new ObjectMapper().readTree(line);
                    // Generations by which an instance proves that its engine lives are nobody's samples.
                    boolean canary = sample.path("rid").asText().startsWith("canary/");
                    tokens += canary ? 0 : sample.path("completion_tokens").asLong();
                }
            }
        }
        return tokens;
    }
}
