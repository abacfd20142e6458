package dev.sluice.checkpoint;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.TreeSet;

/** A Hugging Face model directory: {@code config.json} and one or many safetensors shards, read as one set of tensors. */
public final class HuggingFaceCheckpoint implements AutoCloseable {
    private final Path directory;
    private final JsonNode config;
    private final Map<String, SafetensorsFile> shards = new HashMap<>();
    private final SortedMap<String, TensorEntry> tensors = new TreeMap<>();
    private final Map<String, SafetensorsFile> shardOfTensor = new HashMap<>();

    private HuggingFaceCheckpoint(Path directory, JsonNode config) {
        this.directory = directory;
        this.config = config;
    }

    /**
     * Opens a directory and checks every shard's header.
     *
     * @throws CheckpointException for the first thing that is wrong; {@link #problems} lists all
     */
    public static HuggingFaceCheckpoint open(Path directory) {
        HuggingFaceCheckpoint checkpoint = new HuggingFaceCheckpoint(directory, config(directory));
        try {
            Optional<ShardIndex> index = ShardIndex.read(directory);
            if (index.isPresent()) {
                checkpoint.openIndexed(index.get());
            } else {
                SafetensorsFile only = checkpoint.shard(ShardIndex.SINGLE_SHARD);
                only.tensors().keySet().forEach(name -> checkpoint.add(name, only));
            }
            return checkpoint;
        } catch (RuntimeException e) {
            checkpoint.close();
            throw e;
        }
    }

    /**
     * The {@code config.json} of a model directory, which may hold nothing else.
     *
     * @throws CheckpointException if there is none or it is not JSON
     */
    public static JsonNode config(Path directory) {
        return Json.file(directory.resolve("config.json"));
    }

    /** Everything that is wrong with a directory, each message with its mend; reads headers only. Empty means fine. */
    public static List<String> problems(Path directory) {
        return HuggingFaceProblems.of(directory);
    }

    public Path directory() {
        return directory;
    }

    /** The content of {@code config.json}. */
    public JsonNode config() {
        return config;
    }

    /** All tensors by name; offsets count within each tensor's own shard. */
    public SortedMap<String, TensorEntry> tensors() {
        return Collections.unmodifiableSortedMap(tensors);
    }

    /** A tensor's bytes, row-major; read-only. */
    public ByteRange range(String name) {
        return shardOf(name).range(name);
    }

    /** A read-only little-endian view of the bytes of a tensor that has at most 2 GiB; nothing is copied. */
    public ByteBuffer data(String name) {
        return shardOf(name).data(name);
    }

    private SafetensorsFile shardOf(String name) {
        SafetensorsFile shard = shardOfTensor.get(name);
        if (shard == null) {
            throw new CheckpointException(directory + " has no tensor " + name);
        }
        return shard;
    }

    /** The file and the bytes of it that hold a tensor, for those who write them in place. */
    public TensorPlace place(String name) {
        return shardOf(name).place(name);
    }

    /** A tensor to be written elsewhere, while this checkpoint is open. */
    public TensorSource source(String name) {
        TensorEntry tensor = tensors.get(name);
        if (tensor == null) {
            throw new CheckpointException(directory + " has no tensor " + name);
        }
        return stored(name, tensor.dtype());
    }

    private TensorSource stored(String name, DType dtype) {
        return StoredSource.mapped(name, tensors.get(name), dtype, () -> range(name));
    }

    /** A weight to be written in a type; 8-bit floats are multiplied by the scales of their blocks. */
    TensorSource weight(String name, DType dtype) {
        return BlockScales.of(config, tensors).has(name) ? multipliedOut(name, dtype) : stored(name, dtype);
    }

    /**
     * A weight that has scales of blocks, multiplied by them.
     *
     * @throws CheckpointException if the scales do not fit
     */
    BlockScaledSource multipliedOut(String name, DType dtype) {
        BlockScales blocks = BlockScales.of(config, tensors);
        blocks.problem(name).ifPresent(problem -> {
            throw new CheckpointException(directory + ": " + problem);
        });
        String scales = BlockScales.nameOf(name);
        return new BlockScaledSource(
                name,
                dtype,
                tensors.get(name).shape(),
                new BlockScaledSource.Blocks(blocks.rows(), blocks.columns()),
                () -> range(name),
                new BlockScaledSource.Scales(tensors.get(scales).dtype(), () -> data(scales)));
    }

    @Override
    public void close() {
        shards.values().forEach(SafetensorsFile::close);
    }

    private void openIndexed(ShardIndex index) {
        for (String file : new TreeSet<>(index.fileOfTensor().values())) {
            shard(file);
        }
        index.fileOfTensor().forEach((name, file) -> add(name, shard(file)));
    }

    private SafetensorsFile shard(String file) {
        return shards.computeIfAbsent(file, name -> SafetensorsFile.open(directory.resolve(name)));
    }

    private void add(String name, SafetensorsFile shard) {
        TensorEntry tensor = shard.tensors().get(name);
        if (tensor == null) {
            throw new CheckpointException(
                    "%s: the index promises tensor %s in a shard that lacks it; download the checkpoint again"
                            .formatted(directory, name));
        }
        tensors.put(name, tensor);
        shardOfTensor.put(name, shard);
    }
}
