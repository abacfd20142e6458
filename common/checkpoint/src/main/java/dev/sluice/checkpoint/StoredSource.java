package dev.sluice.checkpoint;

import java.io.IOException;
import java.nio.channels.WritableByteChannel;
import java.util.List;
import java.util.function.Supplier;

/**
 * A tensor of an open checkpoint, fetched when it is written; its elements may change type on the way, in windows, so that no second copy of it is held.
 *
 * @param entry the tensor as stored
 * @param dtype the type to write
 * @param content its bytes as stored
 */
record StoredSource(String name, TensorEntry entry, DType dtype, RangedContent content) implements TensorSource {
    /** A tensor whose bytes lie together: a range costs no more than its own bytes. */
    static StoredSource mapped(String name, TensorEntry entry, DType dtype, Supplier<ByteRange> data) {
        int width = entry.dtype().bytes();
        return new StoredSource(
                name, entry, dtype, (out, first, elements) -> data.get().writeTo(out, first * width, elements * width));
    }

    /**
     * A tensor that is put together while it is written.
     *
     * @param content given in pieces of whole elements
     */
    static StoredSource streamed(String name, TensorEntry entry, DType dtype, Content content) {
        int width = entry.dtype().bytes();
        return new StoredSource(
                name,
                entry,
                dtype,
                (out, first, elements) -> content.writeTo(new RangeChannel(out, first * width, elements * width)));
    }

    @Override
    public List<Long> shape() {
        return entry.shape();
    }

    @Override
    public void writeTo(WritableByteChannel out) throws IOException {
        writeRange(out, 0, Shape.elements(shape()));
    }

    @Override
    public void writeRange(WritableByteChannel out, long first, long elements) throws IOException {
        WritableByteChannel converted = entry.dtype() == dtype ? out : new ConvertingChannel(out, entry.dtype(), dtype);
        content.writeTo(converted, first, elements);
    }
}
