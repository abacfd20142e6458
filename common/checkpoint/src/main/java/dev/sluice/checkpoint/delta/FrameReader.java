package dev.sluice.checkpoint.delta;

import com.github.luben.zstd.ZstdDecompressCtx;
import com.github.luben.zstd.ZstdException;
import java.nio.ByteBuffer;

/** Decompresses frames piece by piece; a frame never yields more than is asked for. */
final class FrameReader implements AutoCloseable {
    private static final long SLICE_BYTES = 64L << 20;

    private final ZstdDecompressCtx context = new ZstdDecompressCtx();
    private final ByteBuffer surplus = ByteBuffer.allocateDirect(1);
    private final StoredDelta delta;
    /** Of the frame, which may exceed a buffer. */
    private ByteBuffer compressed = ByteBuffer.allocateDirect(0);

    private long sliced;
    private boolean ended;

    FrameReader(StoredDelta delta) {
        this.delta = delta;
    }

    /** Fills what remains of a buffer. */
    void read(ByteBuffer window) {
        while (window.hasRemaining()) {
            if (!advance(window)) {
                throw delta.refused(
                        "its zstd frame ends %d bytes short of what its payload needs".formatted(window.remaining()));
            }
        }
    }

    /** Refuses bytes after the payload, compressed or not. */
    void finish() {
        surplus.clear();
        while (!ended && surplus.hasRemaining() && advance(surplus)) {
            // An empty last block may still be due.
        }
        if (!surplus.hasRemaining()) {
            throw delta.refused("its zstd frame expands beyond its payload");
        }
        if (!ended) {
            throw delta.refused("its zstd frame is cut off after %d bytes".formatted(position()));
        }
        if (position() < delta.frame().bytes()) {
            throw delta.refused(
                    "%d bytes follow its zstd frame".formatted(delta.frame().bytes() - position()));
        }
    }

    /** Returns false when nothing more can come. */
    private boolean advance(ByteBuffer window) {
        if (ended) {
            return false;
        }
        if (!compressed.hasRemaining()) {
            long length = Math.min(SLICE_BYTES, delta.frame().bytes() - sliced);
            compressed = delta.frame().slice(sliced, length);
            sliced += length;
        }
        long before = window.position() + position();
        try {
            ended = context.decompressByteBufferStream(window, compressed);
        } catch (ZstdException e) {
            throw delta.refused("its zstd frame is corrupt near byte %d (%s)".formatted(position(), e.getMessage()));
        }
        return window.position() + position() > before;
    }

    /** How much of the frame has been read. */
    private long position() {
        return sliced - compressed.remaining();
    }

    @Override
    public void close() {
        context.close();
    }
}
