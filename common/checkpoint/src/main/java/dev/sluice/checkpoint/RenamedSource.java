package dev.sluice.checkpoint;

import java.io.IOException;
import java.nio.channels.WritableByteChannel;
import java.util.List;

record RenamedSource(String name, TensorSource source) implements TensorSource {
    @Override
    public DType dtype() {
        return source.dtype();
    }

    @Override
    public List<Long> shape() {
        return source.shape();
    }

    @Override
    public void writeTo(WritableByteChannel out) throws IOException {
        source.writeTo(out);
    }

    @Override
    public void writeRange(WritableByteChannel out, long first, long elements) throws IOException {
        source.writeRange(out, first, elements);
    }
}
