package dev.sluice.checkpoint;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.WritableByteChannel;
import java.util.List;
import java.util.function.Supplier;

/**
 * A tensor of an open checkpoint, fetched when it is written; its elements may change type on the way, in windows, so that no second copy of it is held.
 *
 * @param entry the tensor as stored
 * @param dtype the type to write
 * @param content its bytes as stored, given in pieces of whole elements
 */
record StoredSource(String name, TensorEntry entry, DType dtype, Content content) implements TensorSource {
    static StoredSource of(String name, TensorEntry entry, DType dtype, Supplier<ByteBuffer> data) {
        return new StoredSource(
                name,
                entry,
                dtype,
                out -> DurableFiles.writeFully(out, data.get().duplicate()));
    }

    @Override
    public List<Long> shape() {
        return entry.shape();
    }

    @Override
    public void writeTo(WritableByteChannel out) throws IOException {
        content.writeTo(entry.dtype() == dtype ? out : new ConvertingChannel(out, entry.dtype(), dtype));
    }
}
