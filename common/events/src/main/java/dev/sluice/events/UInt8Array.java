package dev.sluice.events;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonValue;
import java.util.Arrays;
import java.util.Base64;

/**
 * An immutable array of uint8 that stands in JSON as the base64 of its bytes.
 */
public final class UInt8Array {
    public static final UInt8Array EMPTY = new UInt8Array(new byte[0]);

    private final byte[] values;

    private UInt8Array(byte[] values) {
        this.values = values;
    }

    public static UInt8Array of(byte... values) {
        return new UInt8Array(values.clone());
    }

    /** @throws IllegalArgumentException if the text is not base64 */
    @JsonCreator
    public static UInt8Array fromBase64(String text) {
        return new UInt8Array(Base64.getDecoder().decode(text));
    }

    @JsonValue
    public String toBase64() {
        return Base64.getEncoder().encodeToString(values);
    }

    public int length() {
        return values.length;
    }

    public byte get(int index) {
        return values[index];
    }

    public byte[] toArray() {
        return values.clone();
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof UInt8Array that && Arrays.equals(values, that.values);
    }

    @Override
    public int hashCode() {
        return Arrays.hashCode(values);
    }

    @Override
    public String toString() {
        return "UInt8Array[" + values.length + "]";
    }
}
