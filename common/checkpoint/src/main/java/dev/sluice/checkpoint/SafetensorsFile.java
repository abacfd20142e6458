package dev.sluice.checkpoint;

import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;

/** One safetensors file, memory-mapped; its header is checked completely when it is opened. */
public final class SafetensorsFile implements AutoCloseable {
    private final MappedFile file;
    private final SafetensorsHeader header;

    private SafetensorsFile(MappedFile file, SafetensorsHeader header) {
        this.file = file;
        this.header = header;
    }

    /**
     * Opens a file.
     *
     * @throws CheckpointException if it is missing, truncated or inconsistent
     */
    public static SafetensorsFile open(Path path) {
        MappedFile file = MappedFile.open(path);
        try {
            return new SafetensorsFile(file, SafetensorsHeader.read(file));
        } catch (RuntimeException e) {
            file.close();
            throw e;
        }
    }

    public SortedMap<String, TensorEntry> tensors() {
        return header.tensors();
    }

    public Map<String, String> metadata() {
        return header.metadata();
    }

    /** A tensor's bytes, row-major; read-only. */
    public ByteRange range(String name) {
        TensorEntry tensor = tensor(name);
        return file.range(header.dataBegin() + tensor.begin(), tensor.bytes());
    }

    /** A read-only little-endian view of the bytes of a tensor that has at most 2 GiB; nothing is copied. */
    public ByteBuffer data(String name) {
        ByteRange range = range(name);
        return range.slice(0, range.bytes());
    }

    private TensorEntry tensor(String name) {
        TensorEntry tensor = header.tensors().get(name);
        if (tensor == null) {
            throw new CheckpointException(file.path() + " has no tensor " + name);
        }
        return tensor;
    }

    /** Every tensor with the place of its bytes. */
    List<StoredTensor> stored(String path) {
        return tensors().values().stream()
                .map(tensor -> StoredTensor.whole(
                        tensor.name(), tensor.dtype(), tensor.shape(), path, header.dataBegin() + tensor.begin()))
                .toList();
    }

    /** Where a tensor's bytes lie in this file, for those who write them in place. */
    TensorPlace place(String name) {
        TensorEntry tensor = tensor(name);
        return new TensorPlace(file.path(), header.dataBegin() + tensor.begin(), tensor.bytes());
    }

    @Override
    public void close() {
        file.close();
    }
}
