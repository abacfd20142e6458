package dev.sluice.checkpoint;

import java.io.IOException;
import java.nio.channels.WritableByteChannel;
import java.util.Collection;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;

/** A tensor that reports progress when it has been written. */
record ReportingSource(TensorSource source, AtomicLong bytesDone, long bytesTotal, Progress progress)
        implements TensorSource {
    static List<TensorSource> all(Collection<TensorSource> sources, long bytesTotal, Progress progress) {
        AtomicLong bytesDone = new AtomicLong();
        return sources.stream()
                .map(source -> (TensorSource) new ReportingSource(source, bytesDone, bytesTotal, progress))
                .toList();
    }

    @Override
    public String name() {
        return source.name();
    }

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
        progress.at(bytesDone.addAndGet(source.bytes()), bytesTotal);
    }
}
