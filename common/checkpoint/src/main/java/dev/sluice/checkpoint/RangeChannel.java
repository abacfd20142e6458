package dev.sluice.checkpoint;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.WritableByteChannel;

/** Passes a range of the bytes that are written to it on, and drops the others. */
final class RangeChannel implements WritableByteChannel {
    private final WritableByteChannel out;
    private final long begin;
    private final long end;
    private long position;

    RangeChannel(WritableByteChannel out, long begin, long bytes) {
        this.out = out;
        this.begin = begin;
        this.end = begin + bytes;
    }

    @Override
    public int write(ByteBuffer source) throws IOException {
        int count = source.remaining();
        long from = Math.clamp(begin - position, 0, count);
        long to = Math.clamp(end - position, 0, count);
        if (from < to) {
            DurableFiles.writeFully(out, source.slice(source.position() + (int) from, (int) (to - from)));
        }
        source.position(source.limit());
        position += count;
        return count;
    }

    @Override
    public boolean isOpen() {
        return out.isOpen();
    }

    @Override
    public void close() {
        // The channel behind belongs to whoever gave it.
    }
}
