package dev.sluice.checkpoint.delta;

import com.github.luben.zstd.EndDirective;
import com.github.luben.zstd.Zstd;
import com.github.luben.zstd.ZstdCompressCtx;
import java.io.IOException;
import java.nio.ByteBuffer;

/** Appends zstd frames to a spool: level 1, with the content size, without a checksum, as slime's {@code ZstdCompressor(level=1)}. */
final class FrameWriter implements AutoCloseable {
    private static final int LEVEL = 1;
    /**
     * 128 KiB, a quarter of what the level has: frames stay within a hundredth of their size, since repetitions are near if there are any, and all that zstd
     * works on stays in the cache.
     */
    private static final int WINDOW_LOG = 17;

    private final ZstdCompressCtx context = new ZstdCompressCtx();
    /** While there is room for a whole block, zstd compresses into the buffer without a copy. */
    private static final int BLOCK_BYTES = (int) Zstd.compressBound(128 << 10);

    private final ByteBuffer compressed = ByteBuffer.allocateDirect(4 * BLOCK_BYTES);
    private final Spool out;
    private long expected;

    FrameWriter(Spool out) {
        this.out = out;
    }

    void begin(long payloadBytes) {
        // Also forgets a frame that an error cut off, and the level.
        context.reset();
        context.setLevel(LEVEL);
        context.setWindowLog(WINDOW_LOG);
        context.setPledgedSrcSize(payloadBytes);
        expected = payloadBytes;
        compressed.clear();
    }

    /** Compresses the remaining bytes of a buffer; the frame ends with the last byte that {@link #begin} announced. */
    void write(ByteBuffer payload) throws IOException {
        expected -= payload.remaining();
        EndDirective end = expected == 0 ? EndDirective.END : EndDirective.CONTINUE;
        boolean ended = false;
        while (expected == 0 ? !ended : payload.hasRemaining()) {
            ended = context.compressByteBufferStream(compressed, payload, end);
            if (compressed.remaining() < BLOCK_BYTES) {
                drain();
            }
        }
        if (ended) {
            drain();
        }
    }

    private void drain() throws IOException {
        out.append(compressed.flip());
        compressed.clear();
    }

    @Override
    public void close() {
        context.close();
    }
}
