package dev.sluice.checkpoint;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.WritableByteChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Set;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;

/**
 * A Megatron-Core checkpoint of format torch_dist, of any version from 0.14 on and any parallel layout: tensors are global, whatever ranks wrote them.
 * Nothing of it is executed, and only files beside its metadata are read.
 */
public final class TorchDistCheckpoint implements AutoCloseable {
    private static final long MAX_METADATA_BYTES = 512L << 20;
    /** Mapped chunks, not copies: more than a layer has, few enough to cost nothing. */
    private static final int VERIFIED_CHUNKS = 64;
    /** What is held of a box that must be assembled before it is written. */
    private static final int BAND_BYTES = 8 << 20;

    private final Path directory;
    private final DistributedMetadata metadata;
    private final Map<String, Object> common;
    private final Map<String, MappedFile> files = new ConcurrentHashMap<>();
    private final Set<String> tiled = ConcurrentHashMap.newKeySet();
    private final Map<VerifiedChunk, ByteRange> verified = new LinkedHashMap<>(16, 0.75f, true) {
        @Override
        protected boolean removeEldestEntry(Map.Entry<VerifiedChunk, ByteRange> eldest) {
            return size() > VERIFIED_CHUNKS;
        }
    };

    /** What a chunk was verified to be: metadata may name the same bytes twice and differ on what they are. */
    private record VerifiedChunk(DType dtype, List<Long> sizes, StoredItem stored) {}

    private TorchDistCheckpoint(Path directory, DistributedMetadata metadata) {
        this.directory = directory;
        this.metadata = metadata;
        this.common = readCommon();
    }

    /**
     * Opens a checkpoint: its root, where a tracker file names the newest iteration, or the directory of one iteration.
     *
     * @throws CheckpointException if it is incomplete, damaged, or would run code in Python
     */
    public static TorchDistCheckpoint open(Path path) {
        Path directory = TorchDistDirectory.resolve(path);
        checkFormat(directory);
        Path file = TorchDistDirectory.file(directory, TorchDistDirectory.METADATA);
        try (MappedFile metadata = MappedFile.open(file)) {
            if (metadata.bytes() > MAX_METADATA_BYTES) {
                throw new CheckpointException(
                        "%s has %d bytes; at most %d are read".formatted(file, metadata.bytes(), MAX_METADATA_BYTES));
            }
            DistributedMetadata described = DistributedMetadata.read(metadata.slice(0, metadata.bytes()));
            checkFiles(directory, described);
            return new TorchDistCheckpoint(directory, described);
        } catch (CheckpointException e) {
            throw new CheckpointException(directory + ": " + e.getMessage(), e);
        }
    }

    /** The directory of the iteration that was opened. */
    public Path directory() {
        return directory;
    }

    /** The keys of all tensors. */
    public SortedSet<String> keys() {
        return Collections.unmodifiableSortedSet(
                new TreeSet<>(metadata.tensors().keySet()));
    }

    /** Keys of byte items, such as TransformerEngine's extra states. */
    public SortedSet<String> byteKeys() {
        return Collections.unmodifiableSortedSet(
                new TreeSet<>(metadata.byteItems().keySet()));
    }

    /** Element type and global shape of a tensor; its offsets are 0 and its size. */
    public TensorEntry entry(String key) {
        ShardedTensor tensor = tensor(key);
        return new TensorEntry(key, tensor.dtype(), tensor.shape(), 0, Shape.bytes(tensor.dtype(), tensor.shape()));
    }

    /** The whole tensor, as {@link #read(String, List, List)}. */
    public ByteBuffer read(String key) {
        List<Long> shape = tensor(key).shape();
        return read(key, Shape.origin(shape.size()), shape);
    }

    /**
     * A box of a tensor of at most 2 GiB, row-major and little-endian; mapped if its elements lie together in one chunk, else assembled in memory.
     *
     * @param offsets its first element, one number an axis
     * @param sizes its shape
     */
    public ByteBuffer read(String key, List<Long> offsets, List<Long> sizes) {
        return reader(key, offsets, sizes).read(offsets, sizes);
    }

    /** Writes a box of a tensor, row-major and little-endian, and holds only some rows of it at a time if they must be assembled. */
    void write(String key, List<Long> offsets, List<Long> sizes, WritableByteChannel out) throws IOException {
        ShardedReader reader = reader(key, offsets, sizes);
        for (Window window : Window.of(sizes, BAND_BYTES / tensor(key).dtype().bytes())) {
            List<Long> from = new ArrayList<>();
            for (int axis = 0; axis < offsets.size(); axis++) {
                from.add(offsets.get(axis) + window.offsets().get(axis));
            }
            DurableFiles.writeFully(out, reader.read(from, window.sizes()));
        }
    }

    /** Reads boxes inside a box. */
    ShardedReader reader(String key, List<Long> offsets, List<Long> sizes) {
        ShardedTensor tensor = tensor(key);
        if (tiled.add(key)) {
            tensor.checkTiling();
        }
        if (!new TensorChunk(offsets, sizes, new StoredItem("none", 0, 0)).within(tensor.shape())) {
            throw new CheckpointException(
                    "%s of shape %s has no box at %s of shape %s".formatted(key, tensor.shape(), offsets, sizes));
        }
        return new ShardedReader(this, tensor, Block.of(offsets, sizes));
    }

    /** Reads boxes of a whole tensor. */
    ShardedReader reader(String key) {
        List<Long> shape = tensor(key).shape();
        return reader(key, Shape.origin(shape.size()), shape);
    }

    /** Every chunk with the place of its bytes. */
    List<StoredTensor> stored(String prefix) {
        List<StoredTensor> stored = new ArrayList<>();
        metadata.tensors()
                .values()
                .forEach(tensor -> tensor.chunks().forEach(chunk -> {
                    StoredItem item = chunk.stored();
                    long begin = item.offset() + TorchTensor.storageBegin(bytes(item), where(tensor, chunk));
                    stored.add(new StoredTensor(
                            tensor.key(), tensor.dtype(), chunk.offsets(), chunk.sizes(), prefix + item.file(), begin));
                }));
        return stored;
    }

    /** The iteration; empty for a release, which holds weights only. */
    public OptionalLong iteration() {
        return TorchDistDirectory.iteration(directory);
    }

    /** The common state as plain values; objects of unknown classes appear as text. */
    public Map<String, Object> common() {
        return common;
    }

    /** The training arguments inside the common state; empty if there are none. */
    public Map<String, Object> arguments() {
        return map("args");
    }

    /** The small values that {@link TorchDistWriter} stored with a training state; empty in checkpoints of others. */
    public Map<String, Object> scalars() {
        return map(TorchDistWriter.SCALARS);
    }

    /** Families of optimizer states, such as {@code exp_avg}. */
    public SortedSet<String> optimizerFamilies() {
        SortedSet<String> families = new TreeSet<>();
        for (String key :
                metadata.tensors().tailMap(TorchDistWriter.OPTIMIZER_PREFIX).keySet()) {
            String rest = key.substring(Math.min(key.length(), TorchDistWriter.OPTIMIZER_PREFIX.length()));
            if (key.startsWith(TorchDistWriter.OPTIMIZER_PREFIX) && rest.contains(".")) {
                families.add(rest.substring(0, rest.indexOf('.')));
            }
        }
        return families;
    }

    @Override
    public void close() {
        files.values().forEach(MappedFile::close);
    }

    private static void checkFormat(Path directory) {
        JsonNode format = Json.file(TorchDistDirectory.file(directory, TorchDistDirectory.FORMAT));
        String backend = format.path("sharded_backend").asText();
        if (!backend.equals("torch_dist")) {
            throw new CheckpointException(
                    "%s has the format \"%s\"; save it with --ckpt-format torch_dist".formatted(directory, backend));
        }
    }

    private static void checkFiles(Path directory, DistributedMetadata metadata) {
        List<String> problems = new ArrayList<>();
        metadata.fileBytes().forEach((name, needed) -> {
            long bytes = TorchDistDirectory.file(directory, name).toFile().length();
            if (bytes < needed) {
                problems.add("%s has %d bytes, .metadata needs %d".formatted(name, bytes, needed));
            }
        });
        if (!problems.isEmpty()) {
            throw new CheckpointException(
                    "truncated or missing data files: %s; copy them again".formatted(String.join(", ", problems)));
        }
    }

    private Map<String, Object> map(String name) {
        Map<String, Object> values = new LinkedHashMap<>();
        if (common.get(name) instanceof Map<?, ?> map) {
            map.forEach((key, value) -> values.put(String.valueOf(key), value));
        }
        return Collections.unmodifiableMap(values);
    }

    /** Keys that cannot be used, with the reason. */
    SortedMap<String, String> unreadable() {
        return Collections.unmodifiableSortedMap(metadata.unreadable());
    }

    ShardedTensor tensor(String key) {
        ShardedTensor tensor = metadata.tensors().get(key);
        if (tensor == null) {
            String reason = metadata.unreadable().get(key);
            throw new CheckpointException(
                    directory + (reason == null ? " has no tensor " + key : ": " + key + " cannot be read: " + reason));
        }
        return tensor;
    }

    private String where(ShardedTensor tensor, TensorChunk chunk) {
        return "%s: the part of %s at %s".formatted(directory, tensor.key(), chunk.offsets());
    }

    /** A fused chunk is read once for each of the tensors in it; its checksum is verified the first time. */
    ByteRange chunk(ShardedTensor tensor, TensorChunk chunk) {
        VerifiedChunk key = new VerifiedChunk(tensor.dtype(), chunk.sizes(), chunk.stored());
        synchronized (verified) {
            ByteRange known = verified.get(key);
            if (known != null) {
                return known;
            }
        }
        ByteRange data = verifiedChunk(tensor, chunk);
        if (!(data instanceof ByteRange.BufferRange)) {
            synchronized (verified) {
                verified.put(key, data);
            }
        }
        return data;
    }

    private ByteRange verifiedChunk(ShardedTensor tensor, TensorChunk chunk) {
        String where = where(tensor, chunk);
        TorchTensor stored = TorchTensor.read(bytes(chunk.stored()), where);
        if (stored.dtype() != tensor.dtype() || !stored.shape().equals(chunk.sizes())) {
            throw new CheckpointException("%s is %s %s, but .metadata says %s %s"
                    .formatted(where, stored.dtype(), stored.shape(), tensor.dtype(), chunk.sizes()));
        }
        return stored.data();
    }

    private ByteRange bytes(StoredItem stored) {
        MappedFile file =
                files.computeIfAbsent(stored.file(), name -> MappedFile.open(TorchDistDirectory.file(directory, name)));
        return file.range(stored.offset(), stored.length());
    }

    /** Megatron up to 0.18 writes a file beside the data, later versions an item inside the data. */
    private Map<String, Object> readCommon() {
        Path file = TorchDistDirectory.file(directory, TorchDistDirectory.COMMON);
        StoredItem item = metadata.byteItems().get(TorchDistDirectory.COMMON_KEY);
        if (Files.isRegularFile(file)) {
            try (MappedFile mapped = MappedFile.open(file)) {
                return common(mapped, file.toString());
            }
        }
        return item == null ? Map.of() : common(bytes(item), directory + ": " + TorchDistDirectory.COMMON_KEY);
    }

    private static Map<String, Object> common(ByteRange bytes, String where) {
        return Collections.unmodifiableMap(
                CommonState.of(TorchArchive.open(bytes, where).pickle(), where));
    }
}
