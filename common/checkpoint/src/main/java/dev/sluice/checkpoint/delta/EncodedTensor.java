package dev.sluice.checkpoint.delta;

import dev.sluice.checkpoint.DType;
import dev.sluice.checkpoint.TensorSource;
import java.io.IOException;
import java.nio.channels.WritableByteChannel;
import java.util.List;

/**
 * A compared tensor, whose frame waits in a spool.
 *
 * @param changedBytes 0 if nothing changed; then there is no frame
 * @param checksum of the new bytes
 */
record EncodedTensor(String name, long changedBytes, String checksum, Spool spool, long position, long bytes)
        implements TensorSource {
    @Override
    public DType dtype() {
        return DType.U8;
    }

    @Override
    public List<Long> shape() {
        return List.of(bytes);
    }

    @Override
    public void writeTo(WritableByteChannel out) throws IOException {
        spool.copyTo(out, position, bytes);
    }
}
