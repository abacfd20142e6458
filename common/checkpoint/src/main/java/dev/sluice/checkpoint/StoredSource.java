package dev.sluice.checkpoint;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.WritableByteChannel;
import java.util.List;
import java.util.function.Supplier;

/**
 * A tensor of an open checkpoint, fetched when it is written; its elements may change type on the way, in windows, so that no second copy of it is held.
 *
 * @param entry the tensor as stored
 * @param dtype the type to write
 */
record StoredSource(String name, TensorEntry entry, DType dtype, Supplier<ByteBuffer> data) implements TensorSource {
    private static final int WINDOW_ELEMENTS = 1 << 18;

    @Override
    public List<Long> shape() {
        return entry.shape();
    }

    @Override
    public void writeTo(WritableByteChannel out) throws IOException {
        write(out, data.get().duplicate());
    }

    @Override
    public void writeRange(WritableByteChannel out, long first, long elements) throws IOException {
        int width = entry.dtype().bytes();
        ByteBuffer all = data.get();
        write(out, all.slice(all.position() + Math.toIntExact(first * width), Math.toIntExact(elements * width)));
    }

    private void write(WritableByteChannel out, ByteBuffer bytes) throws IOException {
        ByteBuffer source = bytes.order(ByteOrder.LITTLE_ENDIAN);
        if (entry.dtype() == dtype) {
            DurableFiles.writeFully(out, source);
            return;
        }
        ByteBuffer window = ByteBuffer.allocate(WINDOW_ELEMENTS * dtype.bytes()).order(ByteOrder.LITTLE_ENDIAN);
        while (source.hasRemaining()) {
            window.clear();
            while (source.hasRemaining() && window.hasRemaining()) {
                FloatTypes.put(window, dtype, FloatTypes.get(source, entry.dtype()));
            }
            DurableFiles.writeFully(out, window.flip());
        }
    }
}
