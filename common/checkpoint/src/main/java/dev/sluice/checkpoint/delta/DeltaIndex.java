package dev.sluice.checkpoint.delta;

import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.json.JsonWriteFeature;
import com.fasterxml.jackson.core.util.MinimalPrettyPrinter;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectWriter;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.sluice.checkpoint.CheckpointException;
import dev.sluice.checkpoint.Json;
import dev.sluice.checkpoint.Names;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * {@code model.safetensors.index.json} of a delta.
 *
 * @param fileOfTensor in the order in which the tensors were compared
 */
record DeltaIndex(
        WeightVersion version,
        WeightVersion baseVersion,
        DeltaEncoding encoding,
        DeltaChecksum checksum,
        Map<String, String> fileOfTensor) {
    static final String FILE = "model.safetensors.index.json";

    private static final String COMPRESSION = "zstd";
    private static final ObjectWriter PYTHON = Json.MAPPER
            .writer(new PythonSeparators())
            .with(JsonWriteFeature.ESCAPE_NON_ASCII)
            .without(JsonWriteFeature.WRITE_HEX_UPPER_CASE);

    DeltaIndex {
        fileOfTensor = Collections.unmodifiableMap(new LinkedHashMap<>(fileOfTensor));
    }

    /** A version without an index, or with one that names no encoding, is a whole checkpoint. */
    static boolean isIn(Path directory) {
        if (!Files.isDirectory(directory)) {
            throw new CheckpointException(
                    directory + " is missing; publish that version again or ask for an earlier one");
        }
        Path file = directory.resolve(FILE);
        return Files.exists(file) && Json.file(file).path("metadata").has("delta_encoding");
    }

    static DeltaIndex read(Path directory) {
        Path file = directory.resolve(FILE);
        if (!Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS)) {
            throw new CheckpointException(
                    file + " is not a file; the delta was not finished, wait for it or publish it again");
        }
        JsonNode root = Json.file(file);
        JsonNode metadata = root.path("metadata");
        if (!root.path("weight_map").isObject()) {
            throw broken(file, "has no weight_map");
        }
        named(file, metadata, "compression_format", Map.of(COMPRESSION, COMPRESSION));
        return new DeltaIndex(
                WeightVersion.parse(text(file, metadata, "version"), file + ": version"),
                WeightVersion.parse(text(file, metadata, "base_version"), file + ": base_version"),
                named(file, metadata, "delta_encoding", byText(DeltaEncoding.values(), DeltaEncoding::text)),
                named(file, metadata, "checksum_format", byText(DeltaChecksum.values(), DeltaChecksum::text)),
                files(file, root.path("weight_map")));
    }

    byte[] json() {
        ObjectNode root = Json.MAPPER.createObjectNode();
        root.putObject("metadata")
                .put("version", version.digits())
                .put("base_version", baseVersion.digits())
                .put("delta_encoding", encoding.text())
                .put("compression_format", COMPRESSION)
                .put("checksum_format", checksum.text());
        ObjectNode weights = root.putObject("weight_map");
        fileOfTensor.forEach(weights::put);
        try {
            return PYTHON.writeValueAsBytes(root);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("a JSON tree is always writable", e);
        }
    }

    private static Map<String, String> files(Path file, JsonNode weights) {
        Map<String, String> fileOfTensor = new LinkedHashMap<>();
        for (Map.Entry<String, JsonNode> field : weights.properties()) {
            String name = field.getValue().asText();
            // A path could read any file of the host.
            if (!Names.isPlainFile(name) || !name.endsWith(".safetensors")) {
                throw broken(
                        file,
                        "puts tensor %s into \"%s\", which is not a safetensors file beside the index"
                                .formatted(field.getKey(), name));
            }
            fileOfTensor.put(field.getKey(), name);
        }
        return fileOfTensor;
    }

    private static String text(Path file, JsonNode metadata, String key) {
        JsonNode value = metadata.path(key);
        if (!value.isTextual()) {
            throw broken(file, "has no text \"%s\" in its metadata".formatted(key));
        }
        return value.textValue();
    }

    private static <T> T named(Path file, JsonNode metadata, String key, Map<String, T> known) {
        String value = text(file, metadata, key);
        T found = known.get(value);
        if (found == null) {
            throw broken(
                    file,
                    "has the unknown %s \"%s\"; known: %s"
                            .formatted(
                                    key, value, known.keySet().stream().sorted().collect(Collectors.joining(", "))));
        }
        return found;
    }

    private static <T> Map<String, T> byText(T[] values, Function<T, String> text) {
        return Stream.of(values).collect(Collectors.toMap(text, Function.identity()));
    }

    private static CheckpointException broken(Path file, String what) {
        return new CheckpointException(file + " " + what + "; publish the delta again");
    }

    /** A space after colon and comma, as Python's {@code json.dumps} has it. */
    private static final class PythonSeparators extends MinimalPrettyPrinter {
        @Override
        public void writeObjectFieldValueSeparator(JsonGenerator out) throws IOException {
            out.writeRaw(": ");
        }

        @Override
        public void writeObjectEntrySeparator(JsonGenerator out) throws IOException {
            out.writeRaw(", ");
        }
    }
}
