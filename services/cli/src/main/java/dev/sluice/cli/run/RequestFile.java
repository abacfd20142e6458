package dev.sluice.cli.run;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.databind.node.TextNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;
import com.fasterxml.jackson.dataformat.yaml.YAMLGenerator;
import dev.sluice.cli.CommandFailure;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import org.yaml.snakeyaml.LoaderOptions;

/**
 * A request as a person writes it, in YAML or JSON. Only what the planner cannot know is done here: paths in it are taken
 * relative to the file, and {@code --set} replaces values. Whether it can run is the planner's to say.
 */
public final class RequestFile {
    private static final int MAXIMUM_BYTES = 512 << 10;
    private static final int MAXIMUM_DEPTH = 32;
    private static final ObjectMapper YAML = new ObjectMapper(yamlFactory());
    private static final ObjectMapper WRITTEN = new ObjectMapper(YAMLFactory.builder()
            .disable(YAMLGenerator.Feature.WRITE_DOC_START_MARKER)
            .disable(YAMLGenerator.Feature.SPLIT_LINES)
            .enable(YAMLGenerator.Feature.MINIMIZE_QUOTES)
            // A text of digits, such as an environment variable's 010, must not come back as a number.
            .enable(YAMLGenerator.Feature.ALWAYS_QUOTE_NUMBERS_AS_STRINGS)
            .enable(YAMLGenerator.Feature.INDENT_ARRAYS_WITH_INDICATOR)
            .build());

    private RequestFile() {}

    /**
     * Reads a request.
     *
     * @param settings {@code key=value} with dotted keys, such as {@code training.steps=4} or {@code evaluation.0.name=x}
     * @throws CommandFailure if the file is no readable document of keys, or a setting does not fit it
     */
    public static ObjectNode read(Path file, List<String> settings) {
        ObjectNode request = parse(file);
        change(request, settings);
        resolvePaths(request, file.toAbsolutePath().normalize().getParent());
        return request;
    }

    /**
     * Replaces values of a request.
     *
     * @param settings as {@link #read} takes them
     * @throws CommandFailure if one does not fit the request
     */
    public static void change(ObjectNode request, List<String> settings) {
        settings.forEach(setting -> set(request, setting));
    }

    /** The request in YAML, as {@link #read} takes it. */
    public static String yaml(ObjectNode request) {
        try {
            return WRITTEN.writeValueAsString(request);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("a document of keys cannot be written as YAML", e);
        }
    }

    /**
     * Writes a request to a file, all of it or nothing.
     *
     * @throws CommandFailure if the file cannot be written
     */
    public static void write(Path file, ObjectNode request) {
        Path target = file.toAbsolutePath().normalize();
        Path draft = target.resolveSibling(
                "." + target.getFileName() + "." + ProcessHandle.current().pid());
        try {
            Files.writeString(draft, yaml(request));
            Files.move(draft, target, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        } catch (IOException e) {
            draft.toFile().delete();
            throw CommandFailure.failed("%s cannot be written: %s".formatted(file, e));
        }
    }

    private static YAMLFactory yamlFactory() {
        LoaderOptions limits = new LoaderOptions();
        limits.setCodePointLimit(MAXIMUM_BYTES);
        return YAMLFactory.builder()
                .loaderOptions(limits)
                .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
                .streamReadConstraints(StreamReadConstraints.builder()
                        .maxNestingDepth(MAXIMUM_DEPTH)
                        .build())
                .build();
    }

    private static ObjectNode parse(Path file) {
        try {
            if (!Files.isRegularFile(file)) {
                throw CommandFailure.usage("there is no file " + file.toAbsolutePath());
            }
            if (Files.size(file) > MAXIMUM_BYTES) {
                throw CommandFailure.usage(
                        "%s has %d bytes; a request has at most %d".formatted(file, Files.size(file), MAXIMUM_BYTES));
            }
            if (YAML.readTree(file.toFile()) instanceof ObjectNode request) {
                return request;
            }
            throw CommandFailure.usage(file + " is no document of keys, such as \"training: {steps: 4}\"");
        } catch (JsonProcessingException e) {
            String place =
                    e.getLocation() == null ? "" : ", line " + e.getLocation().getLineNr();
            throw CommandFailure.usage(file + place + ": "
                    + e.getOriginalMessage().lines().findFirst().orElse("unreadable"));
        } catch (IOException e) {
            throw CommandFailure.usage(file + " cannot be read: " + e.getMessage());
        }
    }

    /** Replaces one value: {@code key=value} with a dotted key. */
    public static void set(ObjectNode request, String setting) {
        int equals = setting.indexOf('=');
        if (equals < 1) {
            throw CommandFailure.usage("--set takes key=value, such as training.steps=4, not \"" + setting + "\"");
        }
        String[] keys = setting.substring(0, equals).split("\\.", -1);
        JsonNode node = request;
        for (int i = 0; i < keys.length - 1; i++) {
            node = child(node, keys[i], setting);
        }
        put(node, keys[keys.length - 1], value(setting.substring(equals + 1), setting), setting);
    }

    private static JsonNode child(JsonNode node, String key, String setting) {
        if (node instanceof ObjectNode group) {
            JsonNode child = group.path(key);
            return child.isContainerNode() ? child : group.putObject(key);
        }
        return element(node, key, setting);
    }

    private static void put(JsonNode node, String key, JsonNode value, String setting) {
        if (node instanceof ObjectNode group) {
            group.set(key, value);
        } else {
            element(node, key, setting);
            ((ArrayNode) node).set(Integer.parseInt(key), value);
        }
    }

    private static JsonNode element(JsonNode list, String key, String setting) {
        JsonNode element = key.matches("\\d{1,4}") ? list.path(Integer.parseInt(key)) : list.path(-1);
        if (element.isMissingNode()) {
            throw CommandFailure.usage(
                    "--set " + setting + ": \"" + key + "\" is no place in a list of " + list.size());
        }
        return element;
    }

    private static JsonNode value(String text, String setting) {
        try {
            JsonNode value = YAML.readTree(text);
            return value == null || value.isMissingNode() ? TextNode.valueOf(text) : value;
        } catch (IOException e) {
            throw CommandFailure.usage("--set " + setting + ": the value is not valid YAML");
        }
    }

    private static void resolvePaths(ObjectNode request, Path directory) {
        resolve(request.path("model"), "path", directory);
        resolve(request.path("data"), "prompts", directory);
        request.path("evaluation").forEach(evaluation -> resolve(evaluation, "prompts", directory));
    }

    private static void resolve(JsonNode group, String key, Path directory) {
        if (group instanceof ObjectNode keys && keys.path(key).isTextual()) {
            keys.put(key, directory.resolve(keys.path(key).asText()).normalize().toString());
        }
    }
}
