package dev.sluice.checkpoint;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.WritableByteChannel;

/** Bytes that lie one after another, more of them than a buffer holds; any 2 GiB of them can be had as one. */
public interface ByteRange {
    long bytes();

    /**
     * A little-endian view of some of the bytes; nothing is copied.
     *
     * @throws CheckpointException if there are not so many, or more than 2 GiB are asked for
     */
    ByteBuffer slice(long begin, long length);

    /** @throws CheckpointException if there are not so many bytes */
    default ByteRange range(long begin, long length) {
        return new PartOfRange(this, begin, length);
    }

    /** Writes some of the bytes. */
    default void writeTo(WritableByteChannel out, long begin, long length) throws IOException {
        long pieceBytes = 64L << 20;
        for (long done = 0; done < length; done += pieceBytes) {
            DurableFiles.writeFully(out, slice(begin + done, Math.min(pieceBytes, length - done)));
        }
    }

    /** The remaining bytes of a buffer, whose position stays. */
    static ByteRange of(ByteBuffer bytes) {
        return new BufferRange(bytes.slice());
    }

    /** @param whole what a buffer holds from its first byte on */
    record BufferRange(ByteBuffer whole) implements ByteRange {
        @Override
        public long bytes() {
            return whole.limit();
        }

        @Override
        public ByteBuffer slice(long begin, long length) {
            return whole.slice(Math.toIntExact(begin), Math.toIntExact(length)).order(ByteOrder.LITTLE_ENDIAN);
        }
    }

    /** A part of another range. */
    record PartOfRange(ByteRange whole, long begin, long bytes) implements ByteRange {
        public PartOfRange {
            check(begin, bytes, whole.bytes());
        }

        @Override
        public ByteBuffer slice(long from, long length) {
            check(from, length, bytes);
            return whole.slice(begin + from, length);
        }

        private static void check(long begin, long length, long bytes) {
            if (begin < 0 || length < 0 || begin > bytes - length) {
                throw new CheckpointException(
                        "there are %d bytes, but bytes %d to %d are asked for".formatted(bytes, begin, begin + length));
            }
        }
    }
}
