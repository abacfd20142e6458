package dev.sluice.checkpoint;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.WritableByteChannel;
import java.util.List;

record BufferSource(String name, DType dtype, List<Long> shape, ByteBuffer data) implements TensorSource {
    BufferSource {
        shape = List.copyOf(shape);
        long expected = Shape.bytes(dtype, shape);
        if (data.remaining() != expected) {
            throw new CheckpointException("tensor %s: %s %s needs %d bytes, but %d were given"
                    .formatted(name, dtype, shape, expected, data.remaining()));
        }
    }

    @Override
    public void writeTo(WritableByteChannel out) throws IOException {
        DurableFiles.writeFully(out, data.duplicate());
    }

    @Override
    public void writeRange(WritableByteChannel out, long first, long elements) throws IOException {
        int width = dtype.bytes();
        DurableFiles.writeFully(
                out, data.slice(data.position() + Math.toIntExact(first * width), Math.toIntExact(elements * width)));
    }
}
