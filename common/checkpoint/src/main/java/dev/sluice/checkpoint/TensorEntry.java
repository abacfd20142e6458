package dev.sluice.checkpoint;

import java.util.List;

/**
 * Where a dense row-major tensor lies in its file.
 *
 * @param begin first byte, counted from the start of the data part
 * @param end byte after the last
 */
public record TensorEntry(String name, DType dtype, List<Long> shape, long begin, long end) {
    public TensorEntry {
        shape = List.copyOf(shape);
        long expected = Shape.bytes(dtype, shape);
        if (begin < 0 || end < begin || end - begin != expected) {
            throw new CheckpointException("tensor %s: %s %s needs %d bytes, but its data offsets are [%d, %d]"
                    .formatted(name, dtype, shape, expected, begin, end));
        }
    }

    /** Size of the tensor in bytes. */
    public long bytes() {
        return end - begin;
    }
}
