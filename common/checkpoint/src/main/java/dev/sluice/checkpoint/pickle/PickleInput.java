package dev.sluice.checkpoint.pickle;

import dev.sluice.checkpoint.CheckpointException;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;

/** The operands of a pickle's instructions; every length is checked against what is left before memory is taken. */
final class PickleInput {
    static final int MAX_LINE_BYTES = 1024;

    private final ByteBuffer in;
    private final Map<String, String> interned = new HashMap<>();

    PickleInput(ByteBuffer bytes) {
        this.in = bytes.slice().order(ByteOrder.LITTLE_ENDIAN);
    }

    int position() {
        return in.position();
    }

    void protocol() {
        int protocol = unsignedByte();
        if (protocol < 2 || protocol > 5) {
            throw new CheckpointException("pickle protocol %d; 2 to 5 are read".formatted(protocol));
        }
    }

    /** Frames only help a streaming reader. */
    void skipFrameLength() {
        in.getLong();
    }

    int unsignedByte() {
        return Byte.toUnsignedInt(in.get());
    }

    int unsignedShort() {
        return Short.toUnsignedInt(in.getShort());
    }

    int signedInt() {
        return in.getInt();
    }

    long unsignedInt() {
        return Integer.toUnsignedLong(in.getInt());
    }

    long length64() {
        return in.getLong();
    }

    double bigEndianDouble() {
        return Double.longBitsToDouble(Long.reverseBytes(in.getLong()));
    }

    /** A two's complement little-endian integer. */
    PickleValue integer(int length) {
        byte[] littleEndian = bytes(length);
        byte[] bigEndian = new byte[length];
        for (int i = 0; i < length; i++) {
            bigEndian[length - 1 - i] = littleEndian[i];
        }
        BigInteger value = length == 0 ? BigInteger.ZERO : new BigInteger(bigEndian);
        return value.bitLength() < 64 ? new PickleValue.Int(value.longValue()) : new PickleValue.Wide(value);
    }

    byte[] bytes(long length) {
        if (length < 0 || length > in.remaining()) {
            throw new CheckpointException("the pickle claims %s bytes of text where %d are left"
                    .formatted(Long.toUnsignedString(length), in.remaining()));
        }
        byte[] bytes = new byte[(int) length];
        in.get(bytes);
        return bytes;
    }

    /** Equal texts share one object: attribute names repeat thousands of times in files that do not memoise. */
    String text(long length) {
        String text = new String(bytes(length), StandardCharsets.UTF_8);
        if (text.length() > 64) {
            return text;
        }
        return interned.computeIfAbsent(text, t -> t);
    }

    String line() {
        StringBuilder line = new StringBuilder();
        for (int c = unsignedByte(); c != '\n'; c = unsignedByte()) {
            if (line.length() == MAX_LINE_BYTES) {
                throw new CheckpointException("the pickle has a name of more than %d bytes".formatted(MAX_LINE_BYTES));
            }
            line.append((char) c);
        }
        return line.toString();
    }
}
