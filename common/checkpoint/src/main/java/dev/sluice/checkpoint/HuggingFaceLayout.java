package dev.sluice.checkpoint;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;

/** Lays a Hugging Face directory out: shards, and their index if there is more than one. */
final class HuggingFaceLayout {
    private static final Map<String, String> METADATA = Map.of("format", "pt");

    private HuggingFaceLayout() {}

    /**
     * Shards with the tensors in the given order.
     *
     * @param shardBytes a shard holds at most so much, or one larger tensor
     * @param others files beside the shards, written before the index
     */
    static OutputLayout of(Collection<? extends TensorSource> tensors, long shardBytes, List<SmallFile> others) {
        List<List<TensorSource>> shards = split(tensors, shardBytes);
        SortedMap<String, String> fileOfTensor = new TreeMap<>();
        List<OutputFile> files = new ArrayList<>();
        for (int i = 0; i < shards.size(); i++) {
            String file = shards.size() == 1
                    ? ShardIndex.SINGLE_SHARD
                    : "model-%05d-of-%05d.safetensors".formatted(i + 1, shards.size());
            files.add(SafetensorsWriter.layout(file, shards.get(i), METADATA));
            shards.get(i).forEach(tensor -> fileOfTensor.put(tensor.name(), file));
        }
        List<SmallFile> smallFiles = new ArrayList<>(others);
        if (shards.size() > 1) {
            long total = tensors.stream().mapToLong(TensorSource::bytes).sum();
            smallFiles.add(SmallFile.of(ShardIndex.FILE, index(total, fileOfTensor)));
        }
        return new OutputLayout(files, smallFiles);
    }

    private static byte[] index(long bytes, SortedMap<String, String> fileOfTensor) {
        ObjectNode index = Json.MAPPER.createObjectNode();
        index.putObject("metadata").put("total_size", bytes);
        ObjectNode weights = index.putObject("weight_map");
        fileOfTensor.forEach(weights::put);
        return Json.pretty(index);
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
