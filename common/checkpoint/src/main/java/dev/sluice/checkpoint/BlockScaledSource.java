package dev.sluice.checkpoint;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.WritableByteChannel;
import java.util.List;
import java.util.function.Supplier;

/**
 * A matrix of 8-bit floats with one scale a block, multiplied out while it is written: the product of the exact values in float32, rounded to
 * {@code dtype}.
 *
 * @param dtype the type to write
 * @param data F8_E4M3, row-major
 * @param scales one a block, row-major
 */
record BlockScaledSource(
        String name, DType dtype, List<Long> shape, Blocks blocks, Supplier<ByteBuffer> data, Scales scales)
        implements TensorSource {
    private static final int WINDOW_ELEMENTS = 1 << 16;

    /** Rows and columns of a block. */
    record Blocks(long rows, long columns) {}

    /** The scales as stored. */
    record Scales(DType dtype, Supplier<ByteBuffer> data) {}

    @Override
    public void writeTo(WritableByteChannel out) throws IOException {
        writeRange(out, 0, Shape.elements(shape));
    }

    @Override
    public void writeRange(WritableByteChannel out, long first, long elements) throws IOException {
        float[] scale = scaleValues();
        ByteBuffer source = data.get();
        int base = source.position();
        long width = shape.get(1);
        long blocksInRow = Math.ceilDiv(width, blocks.columns);
        ByteBuffer window = ByteBuffer.allocate(WINDOW_ELEMENTS * dtype.bytes()).order(ByteOrder.LITTLE_ENDIAN);
        long at = first;
        long end = first + elements;
        while (at < end) {
            long column = at % width;
            long block = at / width / blocks.rows * blocksInRow + column / blocks.columns;
            long blockEnds = at - column + Math.min(width, (column / blocks.columns + 1) * blocks.columns);
            long until = Math.min(Math.min(end, blockEnds), at + window.remaining() / dtype.bytes());
            float factor = scale[(int) block];
            for (; at < until; at++) {
                FloatTypes.put(window, dtype, FloatTypes.fromFloat8E4M3(source.get(base + (int) at)) * factor);
            }
            if (!window.hasRemaining() || at == end) {
                DurableFiles.writeFully(out, window.flip());
                window.clear();
            }
        }
    }

    private float[] scaleValues() {
        ByteBuffer stored = scales.data.get().duplicate().order(ByteOrder.LITTLE_ENDIAN);
        float[] values = new float[stored.remaining() / scales.dtype.bytes()];
        for (int i = 0; i < values.length; i++) {
            values[i] = FloatTypes.get(stored, scales.dtype);
        }
        return values;
    }
}
