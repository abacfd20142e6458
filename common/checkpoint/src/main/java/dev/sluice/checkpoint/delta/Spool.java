package dev.sluice.checkpoint.delta;

import dev.sluice.checkpoint.DurableFiles;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.WritableByteChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/** A file for what is not needed yet: sizes stand before the bytes in a safetensors file, but are known only after compression. */
final class Spool implements AutoCloseable {
    private final FileChannel file;
    private long bytes;

    private Spool(FileChannel file) {
        this.file = file;
    }

    /** The file loses its name at once, so that a crash leaves nothing behind. */
    static Spool create(Path path) throws IOException {
        return new Spool(FileChannel.open(
                path,
                StandardOpenOption.CREATE_NEW,
                StandardOpenOption.READ,
                StandardOpenOption.WRITE,
                StandardOpenOption.DELETE_ON_CLOSE));
    }

    long bytes() {
        return bytes;
    }

    void append(ByteBuffer data) throws IOException {
        bytes += data.remaining();
        DurableFiles.writeFully(file, data);
    }

    /** Forgets what was appended after the first bytes. */
    void truncate(long remaining) throws IOException {
        file.truncate(remaining).position(remaining);
        bytes = remaining;
    }

    /** Forgets everything, but keeps the room for what comes next: to write over pages costs less than to get new ones. */
    void rewind() throws IOException {
        file.position(0);
        bytes = 0;
    }

    /** Fills a buffer from a position. */
    void read(long position, ByteBuffer window) throws IOException {
        while (window.hasRemaining()) {
            int read = file.read(window, position);
            if (read < 0) {
                throw new EOFException("the spool ends at byte " + position + ", before what was appended to it");
            }
            position += read;
        }
    }

    void copyTo(WritableByteChannel out, long position, long length) throws IOException {
        long end = position + length;
        while (position < end) {
            position += file.transferTo(position, end - position, out);
        }
    }

    @Override
    public void close() throws IOException {
        file.close();
    }
}
