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
 * @param dtype the type to write, of 16 bits
 * @param data F8_E4M3, row-major
 * @param scales one a block, row-major
 */
record BlockScaledSource(
        String name, DType dtype, List<Long> shape, Blocks blocks, Supplier<ByteRange> data, Scales scales)
        implements TensorSource {
    private static final int CODES = 256;
    private static final int WINDOW_ELEMENTS = 1 << 16;

    BlockScaledSource {
        if (dtype != DType.BF16 && dtype != DType.F16) {
            throw new CheckpointException(
                    "%s is F8_E4M3, which is turned into BF16 or F16, not into %s; change dtype in config.json"
                            .formatted(name, dtype));
        }
    }

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
        ByteBuffer window = buffer(WINDOW_ELEMENTS);
        Table table = new Table();
        for (long done = 0; done < elements; done += WINDOW_ELEMENTS) {
            int count = (int) Math.min(WINDOW_ELEMENTS, elements - done);
            table.multiply(first + done, count, window.clear());
            DurableFiles.writeFully(out, window.flip());
        }
    }

    /** Some of the elements, counted row-major, as they would be written. */
    ByteBuffer read(long first, int elements) {
        ByteBuffer read = buffer(elements);
        Table table = new Table();
        for (int done = 0; done < elements; done += WINDOW_ELEMENTS) {
            table.multiply(first + done, Math.min(WINDOW_ELEMENTS, elements - done), read);
        }
        return read.flip();
    }

    private static ByteBuffer buffer(int elements) {
        return ByteBuffer.allocate(elements * Short.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    }

    /** The products of every code with the scales of one row of blocks: far fewer than there are elements in it. */
    private final class Table {
        private final ByteBuffer stored = scales.data.get().duplicate().order(ByteOrder.LITTLE_ENDIAN);
        private final int begin = stored.position();
        private final int blocksInRow = Math.toIntExact(Math.ceilDiv(shape.get(1), blocks.columns));
        private final short[] products = new short[blocksInRow * CODES];
        private final ByteRange codesOf = data.get();
        private final byte[] codes = new byte[WINDOW_ELEMENTS];
        private final short[] multiplied = new short[WINDOW_ELEMENTS];
        private long blockRow = -1;

        /** Appends the products of a run of elements, at most a window. */
        void multiply(long first, int count, ByteBuffer target) {
            codesOf.slice(first, count).get(codes, 0, count);
            multiply(first, count);
            target.asShortBuffer().put(multiplied, 0, count);
            target.position(target.position() + count * Short.BYTES);
        }

        private void multiply(long at, int count) {
            int done = 0;
            while (done < count) {
                long row = (at + done) / shape.get(1);
                long column = (at + done) % shape.get(1);
                fill(row / blocks.rows);
                long blockEnds = Math.min(shape.get(1), (column / blocks.columns + 1) * blocks.columns);
                int until = (int) Math.min(count, done + blockEnds - column);
                int table = (int) (column / blocks.columns) * CODES;
                for (; done < until; done++) {
                    multiplied[done] = products[table + Byte.toUnsignedInt(codes[done])];
                }
            }
        }

        private void fill(long wanted) {
            if (wanted == blockRow) {
                return;
            }
            ByteBuffer rounded = buffer(products.length);
            stored.position(begin + Math.toIntExact(wanted * blocksInRow * scales.dtype.bytes()));
            for (int block = 0; block < blocksInRow; block++) {
                float scale = FloatTypes.get(stored, scales.dtype);
                for (int code = 0; code < CODES; code++) {
                    FloatTypes.put(rounded, dtype, FloatTypes.fromFloat8E4M3((byte) code) * scale);
                }
            }
            rounded.flip().asShortBuffer().get(products);
            blockRow = wanted;
        }
    }
}
