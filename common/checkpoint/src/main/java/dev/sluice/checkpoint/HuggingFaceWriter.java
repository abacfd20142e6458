package dev.sluice.checkpoint;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;

/** Writes a Hugging Face model directory: shards, their index and {@code config.json}. */
public final class HuggingFaceWriter {
    /** Shards of this size suit SGLang's parallel loading. */
    public static final long DEFAULT_SHARD_BYTES = 5_000_000_000L;

    private static final Map<String, String> METADATA = Map.of("format", "pt");

    private HuggingFaceWriter() {}

    /**
     * Writes a new directory, which appears complete or not at all.
     *
     * @param shardBytes a shard holds at most so much, or one larger tensor
     * @throws CheckpointException if the directory exists or the disk fails
     */
    public static void write(
            Path directory, JsonNode config, Collection<? extends TensorSource> tensors, long shardBytes) {
        try (NewDirectory created = NewDirectory.beside(directory)) {
            created.reserve(tensors.stream().mapToLong(TensorSource::bytes).sum());
            writeShards(created.path(), tensors, shardBytes);
            DurableFiles.write(created.path().resolve("config.json"), Json.pretty(config));
            created.publish();
        }
    }

    /** Fills a directory with shards in the given order, and an index if there is more than one. */
    static void writeShards(Path directory, Collection<? extends TensorSource> tensors, long shardBytes) {
        List<List<TensorSource>> shards = split(tensors, shardBytes);
        SortedMap<String, String> fileOfTensor = new TreeMap<>();
        for (int i = 0; i < shards.size(); i++) {
            String file = shards.size() == 1
                    ? ShardIndex.SINGLE_SHARD
                    : "model-%05d-of-%05d.safetensors".formatted(i + 1, shards.size());
            SafetensorsWriter.write(directory.resolve(file), shards.get(i), METADATA);
            shards.get(i).forEach(tensor -> fileOfTensor.put(tensor.name(), file));
        }
        if (shards.size() > 1) {
            ObjectNode index = Json.MAPPER.createObjectNode();
            long total = tensors.stream().mapToLong(TensorSource::bytes).sum();
            index.putObject("metadata").put("total_size", total);
            ObjectNode weights = index.putObject("weight_map");
            fileOfTensor.forEach(weights::put);
            DurableFiles.write(directory.resolve(ShardIndex.FILE), Json.pretty(index));
        }
    }

    private static List<List<TensorSource>> split(Collection<? extends TensorSource> tensors, long shardBytes) {
        List<List<TensorSource>> shards = new ArrayList<>();
        List<TensorSource> shard = new ArrayList<>();
        long bytes = 0;
        for (TensorSource tensor : tensors) {
            if (!shard.isEmpty() && bytes + tensor.bytes() > shardBytes) {
                shards.add(shard);
                shard = new ArrayList<>();
                bytes = 0;
            }
            shard.add(tensor);
            bytes += tensor.bytes();
        }
        shards.add(shard);
        return shards;
    }
}
