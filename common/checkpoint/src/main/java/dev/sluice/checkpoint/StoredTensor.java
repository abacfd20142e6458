package dev.sluice.checkpoint;

import java.util.List;

/**
 * Dense row-major little-endian bytes in a file that belong to one tensor: the whole tensor in safetensors, one chunk of it in torch_dist.
 *
 * @param name the safetensors name or the Megatron key
 * @param offsets position of its first element in the tensor, one number an axis
 * @param shape shape of the piece
 * @param file path below the directory that is described, with slashes
 * @param begin position of the first byte in the file
 */
public record StoredTensor(String name, DType dtype, List<Long> offsets, List<Long> shape, String file, long begin) {
    public StoredTensor {
        offsets = List.copyOf(offsets);
        shape = List.copyOf(shape);
    }

    static StoredTensor whole(String name, DType dtype, List<Long> shape, String file, long begin) {
        return new StoredTensor(name, dtype, shape.stream().map(axis -> 0L).toList(), shape, file, begin);
    }

    public long bytes() {
        return Shape.bytes(dtype, shape);
    }

    long end() {
        return begin + bytes();
    }
}
