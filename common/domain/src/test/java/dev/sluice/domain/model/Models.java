package dev.sluice.domain.model;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.sluice.events.EventJson;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Models for tests. */
public final class Models {
    static final Path FIXTURES = Path.of(System.getProperty("sluice.root"), "common/checkpoint/src/test/fixtures");

    private Models() {}

    /** The tiny checkpoint that transformers wrote. */
    public static ModelSpec tiny() {
        return read(tinyConfig());
    }

    /** The config.json of {@link #tiny()}, to be changed. */
    public static ObjectNode tinyConfig() {
        try {
            return (ObjectNode)
                    EventJson.mapper().readTree(Files.readAllBytes(FIXTURES.resolve("hf_tiny/config.json")));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** A packaged config.json, to be changed. */
    static ObjectNode config(String file) {
        try (InputStream in = PublishedModels.class.getResourceAsStream("published/" + file + ".json")) {
            return (ObjectNode) EventJson.mapper().readTree(in);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    public static ModelSpec published(String name) {
        return PublishedModels.named(name).orElseThrow();
    }

    public static ModelSpec read(JsonNode config) {
        ModelSpec.Reading reading = ModelSpec.read(config);
        if (reading.spec() == null) {
            throw new AssertionError(reading.problems().toString());
        }
        return reading.spec();
    }
}
