package dev.sluice.checkpoint.delta;

import com.github.luben.zstd.ZstdDecompressCtx;
import com.github.luben.zstd.ZstdException;
import java.nio.ByteBuffer;

/** Decompresses frames piece by piece; a frame never yields more than is asked for. */
final class FrameReader implements AutoCloseable {
    private final ZstdDecompressCtx context = new ZstdDecompressCtx();
    private final ByteBuffer surplus = ByteBuffer.allocateDirect(1);
    private final StoredDelta delta;
    private final ByteBuffer compressed;
    private boolean ended;

    FrameReader(StoredDelta delta) {
        this.delta = delta;
        this.compressed = delta.frame().duplicate();
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
            throw delta.refused("its zstd frame is cut off after %d bytes".formatted(compressed.position()));
        }
        if (compressed.hasRemaining()) {
            throw delta.refused("%d bytes follow its zstd frame".formatted(compressed.remaining()));
        }
    }

    /** Returns false when nothing more can come. */
    private boolean advance(ByteBuffer window) {
        if (ended) {
            return false;
        }
        long before = (long) window.position() + compressed.position();
        try {
            ended = context.decompressByteBufferStream(window, compressed);
        } catch (ZstdException e) {
            throw delta.refused(
                    "its zstd frame is corrupt near byte %d (%s)".formatted(compressed.position(), e.getMessage()));
        }
        return (long) window.position() + compressed.position() > before;
    }

    @Override
    public void close() {
        context.close();
    }
}
