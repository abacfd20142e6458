package dev.sluice.planner;

import com.fasterxml.jackson.databind.JsonNode;
import dev.sluice.checkpoint.ChatTemplateFile;
import dev.sluice.checkpoint.CheckpointException;
import dev.sluice.checkpoint.HuggingFaceCheckpoint;
import dev.sluice.domain.data.PromptRows;
import dev.sluice.domain.data.RowKeys;
import dev.sluice.domain.model.ModelSpec;
import dev.sluice.domain.request.Facts;
import dev.sluice.domain.request.Facts.Purpose;
import dev.sluice.events.Algorithm;
import dev.sluice.events.EventJson;
import dev.sluice.events.TrainingRequest;
import dev.sluice.quarkus.Roots;
import jakarta.enterprise.context.ApplicationScoped;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** Looks at what a request points at: the model's directory and the prompt files. */
@ApplicationScoped
class World {
    private static final long MAX_CONFIG_BYTES = 1 << 20;

    private final Roots roots;

    World(Roots roots) {
        this.roots = roots;
    }

    Facts look(TrainingRequest request, int gpuInstances, Purpose purpose) {
        Map<String, Facts.PromptFile> files = new HashMap<>();
        Stream.concat(
                        Stream.of(request.data().prompts()),
                        request.evaluation().stream().map(TrainingRequest.Evaluation::prompts))
                .distinct()
                .forEach(path -> files.put(path, promptFile(path, RowKeys.of(request))));
        String copy = request.model().rolloutPath();
        return new Facts(
                model(request.model().path(), purpose),
                copy == null ? null : model(copy, purpose),
                files,
                gpuInstances,
                purpose,
                null,
                purpose == Purpose.RUN ? unusable(request.algorithm()) : Map.of());
    }

    /** Checkpoints of models beside the policy that cannot be loaded, with the reason. */
    private Map<String, String> unusable(Algorithm algorithm) {
        Map<String, String> unusable = new HashMap<>();
        Stream.of(algorithm.reference(), algorithm.distillation().teacherCheckpoint())
                .flatMap(Stream::ofNullable)
                .forEach(path -> objection(path)
                        .or(() -> CheckpointFiles.problem(Path.of(path)))
                        .ifPresent(problem -> unusable.put(path, problem)));
        return unusable;
    }

    private Facts.Model model(String path, Purpose purpose) {
        Optional<String> objection = objection(path);
        if (objection.isEmpty() && !Files.isDirectory(Path.of(path))) {
            objection = Optional.of(path + " is not a directory; give the directory that holds config.json");
        }
        if (objection.isPresent()) {
            return purpose == Purpose.PLAN
                    ? Facts.Model.notHere(path, objection.get())
                    : new Facts.Model(List.of(objection.get()), null);
        }
        Path directory = Path.of(path);
        // A plan needs the sizes alone; a run needs every file.
        List<String> problems =
                new ArrayList<>(purpose == Purpose.PLAN ? List.of() : HuggingFaceCheckpoint.problems(directory));
        if (purpose == Purpose.RUN && problems.isEmpty() && !Files.isRegularFile(directory.resolve("tokenizer.json"))) {
            problems.add(directory + " has no tokenizer.json");
        }
        ModelSpec spec = problems.isEmpty() ? spec(directory.resolve("config.json"), problems) : null;
        // A plan may look at a directory that holds config.json alone; a run's holds every file.
        boolean chatTemplate = purpose == Purpose.PLAN || ChatTemplateFile.isIn(directory);
        return new Facts.Model(problems, spec, null, chatTemplate);
    }

    private static @Nullable ModelSpec spec(Path config, List<String> problems) {
        try {
            if (Files.size(config) > MAX_CONFIG_BYTES) {
                problems.add("%s has more than %d bytes".formatted(config, MAX_CONFIG_BYTES));
                return null;
            }
            JsonNode content = EventJson.mapper().readTree(Files.readAllBytes(config));
            ModelSpec.Reading reading = ModelSpec.read(content);
            reading.problems().forEach(problem -> problems.add(config + ": " + problem));
            return reading.spec();
        } catch (IOException | CheckpointException e) {
            problems.add("%s cannot be read: %s".formatted(config, e.getMessage()));
            return null;
        }
    }

    private Facts.PromptFile promptFile(String path, RowKeys keys) {
        Optional<String> objection = objection(path);
        if (objection.isPresent()) {
            return Facts.PromptFile.unreadable(objection.get());
        }
        if (!Files.isRegularFile(Path.of(path))) {
            return Facts.PromptFile.unreadable(path + " is not a file on the planner's host");
        }
        try (InputStream file = Files.newInputStream(Path.of(path))) {
            return new Facts.PromptFile(null, PromptRows.scan(file, keys, row -> {}));
        } catch (IOException e) {
            return Facts.PromptFile.unreadable("%s cannot be read: %s".formatted(path, e.getMessage()));
        }
    }

    private Optional<String> objection(String path) {
        if (!path.startsWith("/") && !Path.of(path).isAbsolute()) {
            return Optional.of(path + " is relative, and services run in other directories");
        }
        return roots.objection(path);
    }
}
