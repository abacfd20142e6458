package dev.sluice.events;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonValue;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.Base64;

/**
 * An immutable array of int32 that stands in JSON as the base64 of its little-endian bytes, as SGLang does for routed
 * experts.
 */
public final class Int32Array {
    public static final Int32Array EMPTY = new Int32Array(new int[0]);

    private final int[] values;

    private Int32Array(int[] values) {
        this.values = values;
    }

    public static Int32Array of(int... values) {
        return new Int32Array(values.clone());
    }

    /** @throws IllegalArgumentException if the text is not base64 or its bytes are no multiple of 4 */
    @JsonCreator
    public static Int32Array fromBase64(String text) {
        byte[] bytes = Base64.getDecoder().decode(text);
        if (bytes.length % 4 != 0) {
            throw new IllegalArgumentException(bytes.length + " bytes are no whole number of int32 values");
        }
        int[] values = new int[bytes.length / 4];
        ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).asIntBuffer().get(values);
        return new Int32Array(values);
    }

    @JsonValue
    public String toBase64() {
        ByteBuffer bytes = ByteBuffer.allocate(values.length * 4).order(ByteOrder.LITTLE_ENDIAN);
        bytes.asIntBuffer().put(values);
        return Base64.getEncoder().encodeToString(bytes.array());
    }

    public int length() {
        return values.length;
    }

    public int get(int index) {
        return values[index];
    }

    public int[] toArray() {
        return values.clone();
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Int32Array that && Arrays.equals(values, that.values);
    }

    @Override
    public int hashCode() {
        return Arrays.hashCode(values);
    }

    @Override
    public String toString() {
        return "Int32Array[" + values.length + "]";
    }
}
