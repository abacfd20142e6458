package dev.sluice.checkpoint;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.WritableByteChannel;

/** Changes the type of the elements that pass through; takes whole elements only. */
final class ConvertingChannel implements WritableByteChannel {
    private static final int WINDOW_ELEMENTS = 1 << 16;

    private final WritableByteChannel out;
    private final DType from;
    private final DType to;
    private final ByteBuffer window;

    ConvertingChannel(WritableByteChannel out, DType from, DType to) {
        this.out = out;
        this.from = from;
        this.to = to;
        this.window = ByteBuffer.allocate(WINDOW_ELEMENTS * to.bytes()).order(ByteOrder.LITTLE_ENDIAN);
    }

    @Override
    public int write(ByteBuffer source) throws IOException {
        int length = source.remaining();
        if (length % from.bytes() != 0) {
            throw new IllegalStateException("%d bytes are no whole elements of %s".formatted(length, from));
        }
        ByteBuffer elements = source.duplicate().order(ByteOrder.LITTLE_ENDIAN);
        source.position(source.limit());
        while (elements.hasRemaining()) {
            window.clear();
            while (elements.hasRemaining() && window.hasRemaining()) {
                FloatTypes.put(window, to, FloatTypes.get(elements, from));
            }
            DurableFiles.writeFully(out, window.flip());
        }
        return length;
    }

    @Override
    public boolean isOpen() {
        return out.isOpen();
    }

    @Override
    public void close() throws IOException {
        out.close();
    }
}
