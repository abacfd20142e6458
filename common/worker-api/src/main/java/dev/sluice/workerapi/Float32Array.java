package dev.sluice.workerapi;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonValue;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.Base64;

/** float32 values that stand in JSON as the base64 of their little-endian bytes. */
public final class Float32Array {
    private final float[] values;

    private Float32Array(float[] values) {
        this.values = values;
    }

    public static Float32Array of(float... values) {
        return new Float32Array(values.clone());
    }

    /** @throws IllegalArgumentException if the text is not base64 or its bytes are no multiple of 4 */
    @JsonCreator
    public static Float32Array fromBase64(String text) {
        byte[] bytes = Base64.getDecoder().decode(text);
        if (bytes.length % 4 != 0) {
            throw new IllegalArgumentException(bytes.length + " bytes are no whole number of float32 values");
        }
        float[] values = new float[bytes.length / 4];
        ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).asFloatBuffer().get(values);
        return new Float32Array(values);
    }

    @JsonValue
    public String toBase64() {
        ByteBuffer bytes = ByteBuffer.allocate(values.length * 4).order(ByteOrder.LITTLE_ENDIAN);
        bytes.asFloatBuffer().put(values);
        return Base64.getEncoder().encodeToString(bytes.array());
    }

    public int length() {
        return values.length;
    }

    public float get(int index) {
        return values[index];
    }

    public float[] toArray() {
        return values.clone();
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Float32Array that && Arrays.equals(values, that.values);
    }

    @Override
    public int hashCode() {
        return Arrays.hashCode(values);
    }

    @Override
    public String toString() {
        return "Float32Array[" + values.length + "]";
    }
}
