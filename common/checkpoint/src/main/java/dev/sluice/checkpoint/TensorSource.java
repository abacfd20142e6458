package dev.sluice.checkpoint;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.WritableByteChannel;
import java.util.List;

/** A tensor that can be written; its bytes are asked for once, when its turn comes, so that a model need not fit in memory. */
public interface TensorSource {
    String name();

    DType dtype();

    List<Long> shape();

    /** Writes exactly {@link #bytes()} bytes: row-major, little-endian. */
    void writeTo(WritableByteChannel out) throws IOException;

    /**
     * Writes some of the elements, counted row-major. A source that can begin anywhere should say so here; this default writes all and drops the others.
     *
     * @param first the first element
     * @param elements how many
     */
    default void writeRange(WritableByteChannel out, long first, long elements) throws IOException {
        writeTo(new RangeChannel(out, first * dtype().bytes(), elements * dtype().bytes()));
    }

    default long bytes() {
        return Shape.bytes(dtype(), shape());
    }

    /** A tensor over the remaining bytes of {@code data}, which is not copied and whose position stays. */
    static TensorSource of(String name, DType dtype, List<Long> shape, ByteBuffer data) {
        return new BufferSource(name, dtype, shape, data);
    }

    /** The same tensor under another name. */
    default TensorSource named(String other) {
        return new RenamedSource(other, this);
    }
}
