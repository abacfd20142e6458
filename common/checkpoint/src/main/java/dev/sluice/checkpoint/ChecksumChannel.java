package dev.sluice.checkpoint;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.WritableByteChannel;
import java.util.zip.CRC32;

/** Counts and checksums what passes through. */
final class ChecksumChannel implements WritableByteChannel {
    private final WritableByteChannel out;
    private final CRC32 crc = new CRC32();
    private long position;

    ChecksumChannel(WritableByteChannel out) {
        this.out = out;
    }

    long position() {
        return position;
    }

    /** Counts bytes that nobody writes. */
    void skip(long bytes) {
        position += bytes;
    }

    void resetChecksum() {
        crc.reset();
    }

    int checksum() {
        return (int) crc.getValue();
    }

    @Override
    public int write(ByteBuffer source) throws IOException {
        ByteBuffer sent = source.duplicate();
        int written = out.write(source);
        crc.update(sent.limit(sent.position() + written));
        position += written;
        return written;
    }

    @Override
    public boolean isOpen() {
        return out.isOpen();
    }

    @Override
    public void close() throws IOException {
        out.close();
    }
}
