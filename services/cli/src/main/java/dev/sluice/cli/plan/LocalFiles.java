package dev.sluice.cli.plan;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import dev.sluice.domain.data.PromptRows;
import dev.sluice.domain.data.RowKeys;
import dev.sluice.domain.model.ModelSpec;
import dev.sluice.domain.request.Facts;
import dev.sluice.domain.request.Facts.Purpose;
import dev.sluice.events.EventJson;
import dev.sluice.events.TrainingRequest;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** What of a request's files lies on this machine. */
public final class LocalFiles {
    private static final long MAX_CONFIG_BYTES = 1 << 20;

    private final @Nullable Path model;

    /** @param model where the model's config.json lies, absent where it is the request's path */
    public LocalFiles(@Nullable Path model) {
        this.model = model;
    }

    public Facts look(TrainingRequest request) {
        Map<String, Facts.PromptFile> prompts = new HashMap<>();
        Stream.concat(
                        Stream.of(request.data().prompts()),
                        request.evaluation().stream().map(TrainingRequest.Evaluation::prompts))
                .distinct()
                .forEach(path -> prompts.put(path, promptFile(path, RowKeys.of(request))));
        String copy = request.model().rolloutPath();
        Facts.Model policy = model == null ? model(request.model().path()) : config(model.resolve("config.json"));
        return new Facts(policy, copy == null ? null : model(copy), prompts, 0, Purpose.PLAN);
    }

    private static Facts.Model model(String path) {
        Path config = path(path).resolve("config.json");
        return Files.isDirectory(path(path))
                ? config(config)
                : Facts.Model.notHere(path, path + " is not on this machine");
    }

    private static Facts.Model config(Path config) {
        try {
            if (!Files.isRegularFile(config)) {
                return unusable(config + " does not exist");
            }
            if (Files.size(config) > MAX_CONFIG_BYTES) {
                return unusable(
                        "%s has %d bytes; at most %d are read".formatted(config, Files.size(config), MAX_CONFIG_BYTES));
            }
            JsonNode content = EventJson.mapper().readTree(Files.readAllBytes(config));
            ModelSpec.Reading reading = ModelSpec.read(content);
            Places lines = Places.of(config);
            List<String> problems = reading.problems().stream()
                    .map(problem -> "%s: %s".formatted(place(config, lines.text(key(problem))), problem))
                    .toList();
            return new Facts.Model(problems, reading.spec());
        } catch (JsonProcessingException e) {
            String line = e.getLocation() == null ? "" : ":" + e.getLocation().getLineNr();
            return unusable("%s%s is not JSON: %s".formatted(config, line, firstLine(e.getOriginalMessage())));
        } catch (IOException e) {
            return unusable("%s cannot be read: %s".formatted(config, e.getMessage()));
        }
    }

    private static String place(Path config, String line) {
        return line.isEmpty() ? config.toString() : line;
    }

    /** Problems of a config begin with the key that they are about. */
    private static String key(String problem) {
        return problem.split("[ :=]", 2)[0];
    }

    private static Facts.Model unusable(String why) {
        return new Facts.Model(List.of(why), null);
    }

    private static String firstLine(@Nullable String text) {
        return text == null ? "unreadable" : text.lines().findFirst().orElse("unreadable");
    }

    private static Facts.PromptFile promptFile(String path, RowKeys keys) {
        Path file = path(path);
        if (!Files.isRegularFile(file)) {
            return Facts.PromptFile.unreadable(path + " is not on this machine; its rows were not looked at");
        }
        try (InputStream rows = Files.newInputStream(file)) {
            return new Facts.PromptFile(null, PromptRows.scan(rows, keys, row -> {}));
        } catch (IOException e) {
            return Facts.PromptFile.unreadable("%s cannot be read: %s".formatted(path, e.getMessage()));
        }
    }

    /** A path that no file can have names none. */
    private static Path path(String text) {
        try {
            return Path.of(text);
        } catch (InvalidPathException e) {
            return Path.of("/nonexistent");
        }
    }
}
