package dev.sluice.converter;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.sluice.events.EventJson;
import dev.sluice.events.RunEvent.RunPlanned;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.UUID;
import java.util.stream.Stream;

/** A small genuine model and the events that name one. */
final class Models {
    private static final Path ROOT = Path.of(System.getProperty("sluice.root"));

    static final Path TINY = ROOT.resolve("common/checkpoint/src/test/fixtures/hf_tiny");

    private Models() {}

    static RunPlanned planned(String runId, Path model) throws IOException {
        JsonNode golden = EventJson.mapper()
                .readTree(ROOT.resolve("common/events/src/test/golden/RunPlanned.json")
                        .toFile());
        ((ObjectNode) golden).put("runId", runId);
        ((ObjectNode) golden.at("/request/model")).put("path", model.toString());
        return EventJson.mapper().treeToValue(golden, RunPlanned.class);
    }

    /** A copy that a test may damage. */
    static Path copyInto(Path directory) throws IOException {
        Files.createDirectories(directory);
        for (Path file : filesOf(TINY)) {
            Files.copy(file, directory.resolve(file.getFileName()));
        }
        return directory;
    }

    /** A copy with another content, so that no other test, of this or an earlier build, has converted it. */
    static Path anotherInto(Path directory) throws IOException {
        copyInto(directory);
        String number = Long.toBinaryString(UUID.randomUUID().getMostSignificantBits());
        String blanks = number.replace('0', ' ').replace('1', '\t');
        Files.writeString(directory.resolve("config.json"), blanks, StandardOpenOption.APPEND);
        return directory;
    }

    static List<Path> filesOf(Path directory) throws IOException {
        try (Stream<Path> files = Files.list(directory)) {
            return files.toList();
        }
    }
}
