package dev.sluice.checkpoint;

import java.io.IOException;
import java.nio.channels.WritableByteChannel;
import java.util.List;

/** A tensor whose rows come from several sources, one below another. */
record RowsSource(String name, DType dtype, List<Long> shape, List<TensorSource> rows) implements TensorSource {
    @Override
    public void writeTo(WritableByteChannel out) throws IOException {
        for (TensorSource source : rows) {
            source.writeTo(out);
        }
    }
}
