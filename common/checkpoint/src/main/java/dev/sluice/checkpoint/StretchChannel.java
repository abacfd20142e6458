package dev.sluice.checkpoint;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.WritableByteChannel;

/**
 * Writes one stretch at its place in a file and hashes it on the way. Small pieces are gathered in a window outside the heap; large ones that lie there
 * already, mapped files among them, go to the kernel as they are.
 */
final class StretchChannel implements WritableByteChannel {
    /** Stays in a core's cache while it is checksummed, hashed and copied. */
    static final int WINDOW_BYTES = 256 << 10;

    private final FileChannel file;
    private final ByteBuffer window;
    private final SplitHash hash;
    private final Progressed progressed;
    private long flushed;

    interface Progressed {
        void by(long bytes);
    }

    /** @param window as its owner's other stretches use it, one after another */
    StretchChannel(FileChannel file, Stretch stretch, ByteBuffer window, Progressed progressed) {
        this.file = file;
        this.window = window.clear();
        this.hash = new SplitHash(stretch.begin(), stretch.tensors());
        this.progressed = progressed;
        this.flushed = stretch.begin();
    }

    /** Position in the file after the last byte given. */
    long position() {
        return flushed + window.position();
    }

    /** Writes what is left in the window. */
    StretchHashes finish() throws IOException {
        flush();
        return new StretchHashes(hash.tensors(), hash.rest());
    }

    @Override
    public int write(ByteBuffer source) throws IOException {
        int length = source.remaining();
        if (source.isDirect() && length >= WINDOW_BYTES / 2) {
            flush();
            put(source);
            return length;
        }
        while (source.hasRemaining()) {
            int part = Math.min(window.remaining(), source.remaining());
            window.put(source.slice(source.position(), part));
            source.position(source.position() + part);
            if (!window.hasRemaining()) {
                flush();
            }
        }
        return length;
    }

    @Override
    public boolean isOpen() {
        return file.isOpen();
    }

    /** The file stays open for other stretches. */
    @Override
    public void close() {}

    private void flush() throws IOException {
        if (window.position() > 0) {
            put(window.flip());
            window.clear();
        }
    }

    private void put(ByteBuffer bytes) throws IOException {
        int length = bytes.remaining();
        hash.put(bytes);
        while (bytes.hasRemaining()) {
            flushed += file.write(bytes, flushed);
        }
        progressed.by(length);
    }
}
