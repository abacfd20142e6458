package dev.sluice.checkpoint;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** Looks for everything that is wrong with a Hugging Face directory without reading tensor data. */
final class HuggingFaceProblems {
    private final Path directory;
    private final List<String> problems = new ArrayList<>();
    private final Map<String, SortedMap<String, TensorEntry>> shards = new HashMap<>();

    private HuggingFaceProblems(Path directory) {
        this.directory = directory;
    }

    static List<String> of(Path directory) {
        HuggingFaceProblems check = new HuggingFaceProblems(directory);
        check.run();
        return List.copyOf(check.problems);
    }

    private void run() {
        if (!Files.isDirectory(directory)) {
            problems.add(directory
                    + " is not a directory; give the directory that holds config.json and the safetensors files");
            return;
        }
        Map<String, TensorEntry> tensors = tensors();
        JsonNode config = attempt(() -> Json.file(directory.resolve("config.json")));
        if (config != null && tensors != null) {
            attempt(() -> problems.addAll(ModelProblems.of(config, tensors)));
        }
    }

    /** All readable tensors, or null when an unreadable shard makes a list of missing tensors meaningless. */
    private @Nullable Map<String, TensorEntry> tensors() {
        int before = problems.size();
        SortedMap<String, String> fileOfTensor = attempt(
                () -> ShardIndex.read(directory).map(ShardIndex::fileOfTensor).orElseGet(TreeMap::new));
        if (fileOfTensor == null) {
            return null;
        }
        if (fileOfTensor.isEmpty()) {
            return shard(ShardIndex.SINGLE_SHARD);
        }
        new TreeSet<>(fileOfTensor.values()).forEach(this::shard);
        Map<String, TensorEntry> tensors = new TreeMap<>();
        fileOfTensor.forEach((name, file) -> {
            SortedMap<String, TensorEntry> shard = shards.get(file);
            if (shard != null && shard.containsKey(name)) {
                tensors.put(name, shard.get(name));
            } else if (shard != null) {
                problems.add("%s promises tensor %s in %s, which lacks it; download both again"
                        .formatted(ShardIndex.FILE, name, file));
            }
        });
        return problems.size() == before ? tensors : null;
    }

    private @Nullable SortedMap<String, TensorEntry> shard(String file) {
        Path path = directory.resolve(file);
        if (!Files.isRegularFile(path)) {
            problems.add("%s is missing from %s; download it again".formatted(file, directory));
            return null;
        }
        SortedMap<String, TensorEntry> tensors = attempt(() -> {
            try (SafetensorsFile shard = SafetensorsFile.open(path)) {
                return shard.tensors();
            }
        });
        if (tensors != null) {
            shards.put(file, tensors);
        }
        return tensors;
    }

    private <T> @Nullable T attempt(Supplier<T> read) {
        try {
            return read.get();
        } catch (CheckpointException e) {
            problems.add(e.getMessage());
            return null;
        }
    }
}
