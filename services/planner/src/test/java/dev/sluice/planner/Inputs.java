package dev.sluice.planner;

import dev.sluice.events.EventJson;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;

/** A model and prompts for requests: the tiny checkpoint written by transformers, with a tokenizer beside it. */
record Inputs(Path directory) {
    private static final Path FIXTURE =
            Path.of(System.getProperty("sluice.root"), "common/checkpoint/src/test/fixtures/hf_tiny");

    static Inputs in(Path directory) {
        Inputs inputs = new Inputs(directory);
        try {
            Files.createDirectories(inputs.model());
            try (Stream<Path> files = Files.list(FIXTURE)) {
                for (Path file : files.toList()) {
                    Files.copy(file, inputs.model().resolve(file.getFileName()));
                }
            }
            Files.writeString(inputs.model().resolve("tokenizer.json"), "{}");
            Files.writeString(inputs.prompts(), "{\"prompt\":\"2+3=\",\"label\":\"5\"}\n".repeat(64));
            Files.writeString(
                    inputs.brokenPrompts(),
                    "{\"prompt\":\"2+3=\",\"label\":\"5\"}\n{\"prompt\":\"1+1=\",\"lable\":\"2\"}\n");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return inputs;
    }

    Path model() {
        return directory.resolve("model");
    }

    Path prompts() {
        return directory.resolve("prompts.jsonl");
    }

    /** Its second line has a misspelt key. */
    Path brokenPrompts() {
        return directory.resolve("broken.jsonl");
    }

    /** A request that can run. */
    String yaml(int steps) {
        return """
                name: sums
                backend: cpu
                model: {path: %s}
                data: {prompts: %s}
                rollout: {groupsPerStep: 8, samplesPerPrompt: 4, maxResponseTokens: 8, speculation: {algorithm: EAGLE}}
                training: {steps: %d, learningRate: 5e-4}
                """.formatted(model(), prompts(), steps);
    }

    /** The same as a record on the topic, with the defaults left out. */
    byte[] record(String runId, int steps) {
        return record(runId, """
                {"name": "sums", "backend": "cpu", "model": {"path": "%s"}, "data": {"prompts": "%s"},
                 "rollout": {"groupsPerStep": 8, "samplesPerPrompt": 4, "maxResponseTokens": 8},
                 "training": {"steps": %d, "learningRate": 5e-4}}
                """.formatted(model(), prompts(), steps));
    }

    byte[] record(String runId, String request) {
        try {
            String value = "{\"runId\": \"%s\", \"request\": %s}".formatted(runId, request);
            return EventJson.mapper().writeValueAsBytes(EventJson.mapper().readTree(value));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
