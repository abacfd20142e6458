package dev.sluice.checkpoint.delta;

import java.nio.ByteBuffer;
import java.util.OptionalLong;

/**
 * What a zstd frame says of itself before anything is decompressed.
 *
 * @param contentBytes size after decompression, if the frame tells
 * @param windowBytes memory that decompression needs
 * @see <a href="https://www.rfc-editor.org/rfc/rfc8878#section-3.1.1.1">RFC 8878, section 3.1.1.1</a>
 */
record FrameHeader(OptionalLong contentBytes, long windowBytes) {
    /** What RFC 8878 asks every decoder to support; level 1 needs at most 512 KiB. */
    static final long MAX_WINDOW_BYTES = 8 << 20;

    private static final int MAX_HEADER_BYTES = 18;

    private static final int MAGIC = 0xFD2FB528;

    static FrameHeader read(StoredDelta delta) {
        long bytes = delta.frame().bytes();
        ByteBuffer frame = delta.frame().slice(0, Math.min(bytes, MAX_HEADER_BYTES));
        if (frame.remaining() < 6 || frame.getInt() != MAGIC) {
            throw delta.refused("its %d bytes are not a zstd frame".formatted(bytes));
        }
        int descriptor = frame.get();
        boolean singleSegment = (descriptor & 0x20) != 0;
        if ((descriptor & 0x0b) != 0) {
            throw delta.refused("its zstd frame needs a dictionary or a later format (descriptor 0x%02x)"
                    .formatted(descriptor & 0xff));
        }
        long window = singleSegment ? 0 : window(Byte.toUnsignedInt(frame.get()));
        int sizeFlag = (descriptor >>> 6) & 3;
        int sizeBytes = sizeFlag == 0 ? (singleSegment ? 1 : 0) : 1 << sizeFlag;
        if (frame.remaining() < sizeBytes) {
            throw delta.refused("its zstd frame ends within its header");
        }
        OptionalLong content = switch (sizeBytes) {
            case 0 -> OptionalLong.empty();
            case 1 -> OptionalLong.of(Byte.toUnsignedLong(frame.get()));
            case 2 -> OptionalLong.of(Short.toUnsignedLong(frame.getShort()) + 256);
            case 4 -> OptionalLong.of(Integer.toUnsignedLong(frame.getInt()));
            default -> OptionalLong.of(frame.getLong());
        };
        return new FrameHeader(content, singleSegment ? content.orElseThrow() : window);
    }

    /** Refuses a frame that cannot be this tensor's before memory is spent on it. */
    void check(StoredDelta delta, DeltaEncoding encoding, long tensorBytes) {
        if (Long.compareUnsigned(windowBytes, MAX_WINDOW_BYTES) > 0) {
            throw delta.refused("its zstd frame asks for a window of %s bytes; at most %d are given"
                    .formatted(Long.toUnsignedString(windowBytes), MAX_WINDOW_BYTES));
        }
        long most = encoding == DeltaEncoding.XOR ? tensorBytes : Integer.BYTES + tensorBytes * (Integer.BYTES + 1);
        long content = contentBytes.orElse(most);
        boolean fits = encoding == DeltaEncoding.XOR ? content == most : content >= Integer.BYTES && content <= most;
        if (!fits) {
            throw delta.refused("its zstd frame expands to %s bytes, but %s of a tensor of %d bytes has %s%d"
                    .formatted(
                            Long.toUnsignedString(content),
                            encoding.text(),
                            tensorBytes,
                            encoding == DeltaEncoding.XOR ? "" : "at most ",
                            most));
        }
    }

    private static long window(int descriptor) {
        long base = 1L << (10 + (descriptor >>> 3));
        return base + base / 8 * (descriptor & 7);
    }
}
