package dev.sluice.domain.plan;

import com.fasterxml.jackson.databind.JsonNode;
import dev.sluice.events.EventJson;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Models for tests. */
final class Shapes {
    static final Path FIXTURES = Path.of(System.getProperty("sluice.root"), "common/checkpoint/src/test/fixtures");

    private Shapes() {}

    /** The tiny checkpoint that transformers wrote. */
    static ModelShape tiny() {
        return read(tinyConfig());
    }

    static JsonNode tinyConfig() {
        try {
            return EventJson.mapper().readTree(Files.readAllBytes(FIXTURES.resolve("hf_tiny/config.json")));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** GLM-4.7-Flash, by its released config.json. */
    static ModelShape glm47Flash() {
        return new ModelShape(
                "glm4_moe_lite",
                47,
                1,
                2048,
                154_880,
                202_752,
                1e-5,
                new ModelShape.Attention(20, 768, 512, 192, 64, 256, 1e6),
                new ModelShape.FeedForward(1, 10_240, 64, 4, 1536, 1, 1.8));
    }

    static ModelShape read(JsonNode config) {
        ModelShape.Reading reading = ModelShape.read(config);
        if (reading.shape() == null) {
            throw new AssertionError(reading.problems().toString());
        }
        return reading.shape();
    }
}
