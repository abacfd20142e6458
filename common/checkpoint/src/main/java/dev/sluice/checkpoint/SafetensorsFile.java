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

    /** A read-only little-endian view of a tensor's bytes, row-major; nothing is copied. */
    public ByteBuffer data(String name) {
        TensorEntry tensor = tensor(name);
        return file.slice(header.dataBegin() + tensor.begin(), tensor.bytes());
    }

    /** Some of a tensor's elements, counted row-major; as {@link #data(String)}. */
    ByteBuffer elements(String name, long first, long elements) {
        TensorEntry tensor = tensor(name);
        int width = tensor.dtype().bytes();
        return file.slice(header.dataBegin() + tensor.begin() + first * width, elements * width);
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

    /** As {@link #data(String)}, but only {@code length} bytes from byte {@code begin} of the tensor on: a tensor may exceed 2 GiB. */
    public ByteBuffer data(String name, long begin, long length) {
        TensorEntry tensor = header.tensors().get(name);
        if (tensor == null || begin < 0 || length < 0 || begin > tensor.bytes() - length) {
            throw new CheckpointException(
                    "%s has no bytes %d to %d of a tensor %s".formatted(file.path(), begin, begin + length, name));
        }
        return file.slice(header.dataBegin() + tensor.begin() + begin, length);
    }

    /** Where a tensor's bytes lie in this file, for those who write them in place. */
    TensorPlace place(String name) {
        TensorEntry tensor = header.tensors().get(name);
        if (tensor == null) {
            throw new CheckpointException(file.path() + " has no tensor " + name);
        }
        return new TensorPlace(file.path(), header.dataBegin() + tensor.begin(), tensor.bytes());
    }

    @Override
    public void close() {
        file.close();
    }
}
