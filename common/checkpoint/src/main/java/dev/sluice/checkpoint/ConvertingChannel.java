package dev.sluice.checkpoint;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.WritableByteChannel;

/** Changes the type of the elements that pass through; takes whole elements only. Those of the common types move in arrays, several times as fast. */
final class ConvertingChannel implements WritableByteChannel {
    private static final int WINDOW_ELEMENTS = 1 << 16;

    private final WritableByteChannel out;
    private final DType from;
    private final DType to;
    private final ByteBuffer window;
    private final float[] values = new float[WINDOW_ELEMENTS];
    private final short[] halves = new short[WINDOW_ELEMENTS];

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
            int count = Math.min(WINDOW_ELEMENTS, elements.remaining() / from.bytes());
            read(elements, count);
            write(window.clear(), count);
            DurableFiles.writeFully(out, window.flip());
        }
        return length;
    }

    private void read(ByteBuffer source, int count) {
        switch (from) {
            case BF16 -> {
                source.asShortBuffer().get(halves, 0, count);
                for (int i = 0; i < count; i++) {
                    values[i] = FloatTypes.fromBfloat16(halves[i]);
                }
            }
            case F32 -> source.asFloatBuffer().get(values, 0, count);
            default -> {
                ByteBuffer one = source.duplicate().order(ByteOrder.LITTLE_ENDIAN);
                for (int i = 0; i < count; i++) {
                    values[i] = FloatTypes.get(one, from);
                }
            }
        }
        source.position(source.position() + count * from.bytes());
    }

    private void write(ByteBuffer target, int count) {
        switch (to) {
            case BF16 -> {
                for (int i = 0; i < count; i++) {
                    halves[i] = FloatTypes.toBfloat16(values[i]);
                }
                target.asShortBuffer().put(halves, 0, count);
                target.position(count * to.bytes());
            }
            case F32 -> {
                target.asFloatBuffer().put(values, 0, count);
                target.position(count * to.bytes());
            }
            default -> {
                for (int i = 0; i < count; i++) {
                    FloatTypes.put(target, to, values[i]);
                }
            }
        }
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
