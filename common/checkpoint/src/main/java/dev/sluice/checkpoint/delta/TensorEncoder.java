package dev.sluice.checkpoint.delta;

import dev.sluice.checkpoint.ByteRange;
import dev.sluice.checkpoint.TensorSource;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.WritableByteChannel;
import java.nio.file.Path;

/** Compares tensors with their bases while they are written here, one after the other, in windows. */
abstract sealed class TensorEncoder implements WritableByteChannel permits XorEncoder, OverwriteEncoder {
    /** Two such windows, which are gone over several times, stay in a core's first-level cache. */
    private static final int WINDOW_BYTES = 16 << 10;

    final ByteWindow fresh = new ByteWindow(WINDOW_BYTES);
    final ByteWindow old = new ByteWindow(WINDOW_BYTES);
    final Spool frames;
    final FrameWriter frame;
    private final DeltaChecksum checksum;
    private ByteRange base = ByteRange.of(ByteBuffer.allocate(0));
    private long position;
    private TensorDigest digest;
    private long changedBytes;
    private int filled;

    TensorEncoder(DeltaChecksum checksum, Spool frames) {
        this.checksum = checksum;
        this.frames = frames;
        this.frame = new FrameWriter(frames);
        this.digest = checksum.start();
    }

    /** Makes the encoder with this number; its spools lie in the directory without a name. */
    static TensorEncoder open(DeltaOptions options, Path directory, int number) throws IOException {
        Spool frames = Spool.create(directory.resolve(".frames-" + number));
        return switch (options.encoding()) {
            case XOR -> new XorEncoder(options.checksum(), frames);
            case OVERWRITE -> {
                Spool values = Spool.create(directory.resolve(".values-" + number));
                yield new OverwriteEncoder(options.checksum(), frames, values);
            }
        };
    }

    /** Compares one tensor; an unchanged one leaves nothing in the spool. */
    final EncodedTensor encode(TensorSource tensor, ByteRange baseBytes) throws IOException {
        base = baseBytes;
        position = 0;
        digest = checksum.start();
        changedBytes = 0;
        filled = 0;
        long frameBegin = frames.bytes();
        begin(base.bytes());
        tensor.writeTo(this);
        compare();
        if (position < base.bytes()) {
            throw new IOException(
                    "tensor %s: %d bytes expected, %d written".formatted(tensor.name(), base.bytes(), position));
        }
        if (changedBytes == 0) {
            frames.truncate(frameBegin);
        } else {
            finish(changedBytes);
        }
        return new EncodedTensor(
                tensor.name(), changedBytes, digest.hex(), frames, frameBegin, frames.bytes() - frameBegin);
    }

    @Override
    public final int write(ByteBuffer data) throws IOException {
        int sent = data.remaining();
        if (sent > base.bytes() - position - filled) {
            throw new IOException(
                    "a tensor of %d bytes writes %d at byte %d".formatted(base.bytes(), sent, position + filled));
        }
        while (data.hasRemaining()) {
            int length = Math.min(data.remaining(), WINDOW_BYTES - filled);
            data.get(fresh.bytes, filled, length);
            filled += length;
            if (filled == WINDOW_BYTES) {
                compare();
            }
        }
        return sent;
    }

    private void compare() throws IOException {
        if (filled == 0) {
            return;
        }
        digest.update(fresh.bytes, filled);
        base.slice(position, filled).get(old.bytes, 0, filled);
        old.clearAfter(filled);
        fresh.clearAfter(filled);
        changedBytes += compare(position, filled);
        position += filled;
        filled = 0;
    }

    abstract void begin(long tensorBytes) throws IOException;

    /** Compares the first bytes of both windows, which zeros fill up to whole groups; returns how many changed. May use the windows up. */
    abstract int compare(long position, int length) throws IOException;

    abstract void finish(long changed) throws IOException;

    @Override
    public boolean isOpen() {
        return true;
    }

    @Override
    public void close() throws IOException {
        frame.close();
        frames.close();
    }
}
