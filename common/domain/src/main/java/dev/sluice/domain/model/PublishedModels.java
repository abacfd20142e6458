package dev.sluice.domain.model;

import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.JsonNode;
import dev.sluice.domain.model.ModelSpec.Reading;
import dev.sluice.domain.spelling.Spelling;
import dev.sluice.events.EventJson;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.Collections;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;

/**
 * Configurations of public models by the name of their directory, such as {@code Qwen3-4B}: to plan for a model that is
 * not there yet. Each is a config.json as published, without what no plan reads.
 */
public final class PublishedModels {
    private static final Map<String, String> FILES = files();

    private PublishedModels() {}

    /** The model of a directory's or repository's name or path, whose last element counts; case does not. */
    public static Optional<ModelSpec> named(String directoryName) {
        String[] elements = directoryName.split("[/\\\\]");
        String file = elements.length == 0 ? null : FILES.get(elements[elements.length - 1]);
        return file == null ? Optional.empty() : Optional.of(spec(file));
    }

    /** {@code ", and no configuration of that name is published; did you mean Qwen3-4B?"}, as far as one is near. */
    public static String didYouMean(String path) {
        String[] elements = path.split("[/\\\\]");
        String name = elements.length == 0 ? path : elements[elements.length - 1];
        return ", and no published configuration has that name" + Spelling.didYouMean(name, names());
    }

    /** Every name, aliases too, in alphabetical order. */
    public static Set<String> names() {
        return FILES.keySet();
    }

    /** The packaged configuration that a name stands for. */
    static String fileOf(String name) {
        return Objects.requireNonNull(FILES.get(name), name);
    }

    private static Map<String, String> files() {
        Map<String, String> files = new TreeMap<>(String.CASE_INSENSITIVE_ORDER);
        files.putAll(read("names.json", new TypeReference<Map<String, String>>() {}));
        return Collections.unmodifiableMap(files);
    }

    private static ModelSpec spec(String file) {
        Reading reading = ModelSpec.read(read(file + ".json", new TypeReference<JsonNode>() {}));
        if (reading.spec() == null) {
            throw new IllegalStateException("the packaged %s.json is wrong: %s".formatted(file, reading.problems()));
        }
        return reading.spec();
    }

    private static <T> T read(String name, TypeReference<T> type) {
        try (InputStream file = PublishedModels.class.getResourceAsStream("published/" + name)) {
            return EventJson.mapper().readValue(file, type);
        } catch (IOException e) {
            throw new UncheckedIOException("the packaged published/" + name + " cannot be read", e);
        }
    }
}
