package dev.sluice.checkpoint;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;

/** Which shard holds which tensor; empty without an index, which means one file {@code model.safetensors}. */
record ShardIndex(SortedMap<String, String> fileOfTensor) {
    static final String FILE = "model.safetensors.index.json";
    static final String SINGLE_SHARD = "model.safetensors";

    ShardIndex {
        fileOfTensor = Collections.unmodifiableSortedMap(fileOfTensor);
    }

    static Optional<ShardIndex> read(Path directory) {
        Path file = directory.resolve(FILE);
        if (!Files.exists(file)) {
            return Optional.empty();
        }
        JsonNode weights = Json.file(file).path("weight_map");
        if (!weights.isObject()) {
            throw new CheckpointException(file + " has no weight_map; download the file again");
        }
        SortedMap<String, String> fileOfTensor = new TreeMap<>();
        for (Map.Entry<String, JsonNode> field : weights.properties()) {
            fileOfTensor.put(field.getKey(), confined(file, field.getValue().asText()));
        }
        return Optional.of(new ShardIndex(fileOfTensor));
    }

    /** A shard lies beside its index: a path could read any file of the host. */
    private static String confined(Path index, String name) {
        if (!Names.isPlainFile(name)) {
            throw new CheckpointException(
                    "%s names the shard \"%s\", which is not a plain file name; only files beside the index are read"
                            .formatted(index, name));
        }
        return name;
    }
}
