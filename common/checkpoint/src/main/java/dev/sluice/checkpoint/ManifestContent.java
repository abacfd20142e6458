package dev.sluice.checkpoint;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * What a manifest says: every file with its size and the hash of its bytes outside tensors, and every tensor with its place and hash.
 *
 * @param tensors by file and position
 */
record ManifestContent(SortedMap<String, Listed> files, List<HashedTensor> tensors) {
    private static final int FORMAT_VERSION = 2;

    private static final Comparator<StoredTensor> BY_PLACE = Comparator.comparing(StoredTensor::file)
            .thenComparingLong(StoredTensor::begin)
            .thenComparingLong(StoredTensor::end);

    /** @param rest XXH3-64 of the bytes that belong to no tensor */
    record Listed(long bytes, long rest) {}

    ManifestContent {
        files = Collections.unmodifiableSortedMap(files);
        tensors = tensors.stream()
                .sorted(Comparator.comparing(HashedTensor::tensor, BY_PLACE))
                .toList();
    }

    /** Tensors by file, sorted by place within it. */
    static Map<String, List<StoredTensor>> byFile(Collection<StoredTensor> tensors) {
        Map<String, List<StoredTensor>> byFile = new HashMap<>();
        tensors.stream()
                .sorted(BY_PLACE)
                .forEach(tensor -> byFile.computeIfAbsent(tensor.file(), file -> new ArrayList<>())
                        .add(tensor));
        return byFile;
    }

    /** One line a file and a tensor: people compare manifests with line tools. */
    byte[] encode() {
        StringBuilder text = new StringBuilder("{\n\"formatVersion\" : " + FORMAT_VERSION + ",\n\"files\" : [");
        List<String> lines = new ArrayList<>();
        files.forEach((path, listed) -> lines.add(line(Json.MAPPER
                .createObjectNode()
                .put("path", path)
                .put("bytes", listed.bytes)
                .put("xxh3", HashedTensor.hexadecimal(listed.rest)))));
        append(text, lines);
        text.append("],\n\"tensors\" : [");
        append(text, tensors.stream().map(tensor -> line(encode(tensor))).toList());
        return text.append("]\n}\n").toString().getBytes(StandardCharsets.UTF_8);
    }

    /** Checked reading: what a manifest says leads to no file or byte that is not there. */
    static ManifestContent read(Path file) {
        JsonNode root = Json.file(file);
        if (root.path("formatVersion").asInt() != FORMAT_VERSION) {
            throw new CheckpointException("%s has the format version %s, this version reads %d; write it again"
                    .formatted(file, root.path("formatVersion"), FORMAT_VERSION));
        }
        SortedMap<String, Listed> files = new TreeMap<>();
        List<HashedTensor> tensors = new ArrayList<>();
        try {
            for (JsonNode node : root.path("files")) {
                long bytes = node.path("bytes").asLong(-1);
                files.put(node.path("path").asText(), new Listed(bytes, hash(node)));
            }
            for (JsonNode node : root.path("tensors")) {
                tensors.add(new HashedTensor(tensor(node), hash(node)));
            }
            ManifestContent content = new ManifestContent(files, tensors);
            content.checkPlaces();
            return content;
        } catch (IllegalArgumentException | CheckpointException e) {
            throw new CheckpointException(file + " is damaged: " + e.getMessage() + "; write it again", e);
        }
    }

    private void checkPlaces() {
        byFile(tensors.stream().map(HashedTensor::tensor).toList()).forEach((path, inFile) -> {
            Listed listed = files.get(path);
            long end = 0;
            for (StoredTensor tensor : inFile) {
                if (listed == null || tensor.begin() < end || tensor.bytes() > listed.bytes - tensor.begin()) {
                    throw new CheckpointException(
                            "it places %s at byte %d of %s, where another tensor lies or the file has ended"
                                    .formatted(tensor.name(), tensor.begin(), path));
                }
                end = tensor.end();
            }
        });
    }

    private static ObjectNode encode(HashedTensor hashed) {
        StoredTensor tensor = hashed.tensor();
        ObjectNode node = Json.MAPPER
                .createObjectNode()
                .put("name", tensor.name())
                .put("dtype", tensor.dtype().name());
        ArrayNode shape = node.putArray("shape");
        tensor.shape().forEach(shape::add);
        if (tensor.offsets().stream().anyMatch(offset -> offset != 0)) {
            ArrayNode offsets = node.putArray("offsets");
            tensor.offsets().forEach(offsets::add);
        }
        return node.put("file", tensor.file())
                .put("begin", tensor.begin())
                .put("bytes", tensor.bytes())
                .put("xxh3", hashed.hexadecimal());
    }

    private static StoredTensor tensor(JsonNode node) {
        DType dtype = DType.of(node.path("dtype").asText())
                .orElseThrow(() -> new IllegalArgumentException("unknown dtype " + node.path("dtype")));
        List<Long> shape = numbers(node.path("shape"));
        List<Long> offsets = node.has("offsets")
                ? numbers(node.path("offsets"))
                : shape.stream().map(axis -> 0L).toList();
        return new StoredTensor(
                node.path("name").asText(),
                dtype,
                offsets,
                shape,
                node.path("file").asText(),
                node.path("begin").asLong(-1));
    }

    private static List<Long> numbers(JsonNode array) {
        List<Long> numbers = new ArrayList<>();
        array.forEach(number -> numbers.add(number.asLong(-1)));
        return numbers;
    }

    private static long hash(JsonNode node) {
        return Long.parseUnsignedLong(node.path("xxh3").asText(), 16);
    }

    private static void append(StringBuilder text, List<String> lines) {
        text.append(lines.isEmpty() ? "" : "\n" + String.join(",\n", lines) + "\n");
    }

    private static String line(ObjectNode node) {
        try {
            return Json.MAPPER.writeValueAsString(node);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("a JSON tree is always writable", e);
        }
    }
}
