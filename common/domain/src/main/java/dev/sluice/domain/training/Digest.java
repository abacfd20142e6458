package dev.sluice.domain.training;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/** SHA-256 over named values; each is preceded by its name and length, so that no two sequences give the same bytes. */
final class Digest {
    private final MessageDigest sha256;

    Digest() {
        try {
            sha256 = MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every JDK has SHA-256", e);
        }
    }

    Digest add(String name, String value) {
        return add(name, value.getBytes(StandardCharsets.UTF_8));
    }

    Digest add(String name, byte[] value) {
        byte[] label = name.getBytes(StandardCharsets.UTF_8);
        sha256.update(ByteBuffer.allocate(8)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putInt(label.length)
                .putInt(value.length)
                .flip());
        sha256.update(label);
        sha256.update(value);
        return this;
    }

    Digest add(String name, int[] values) {
        ByteBuffer bytes = ByteBuffer.allocate(4 * values.length).order(ByteOrder.LITTLE_ENDIAN);
        bytes.asIntBuffer().put(values);
        return add(name, bytes.array());
    }

    Digest add(String name, long[] values) {
        ByteBuffer bytes = ByteBuffer.allocate(8 * values.length).order(ByteOrder.LITTLE_ENDIAN);
        bytes.asLongBuffer().put(values);
        return add(name, bytes.array());
    }

    Digest add(String name, float[] values) {
        ByteBuffer bytes = ByteBuffer.allocate(4 * values.length).order(ByteOrder.LITTLE_ENDIAN);
        bytes.asFloatBuffer().put(values);
        return add(name, bytes.array());
    }

    String hex() {
        return HexFormat.of().formatHex(sha256.digest());
    }
}
