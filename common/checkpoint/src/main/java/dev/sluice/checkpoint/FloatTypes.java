package dev.sluice.checkpoint;

import java.nio.ByteBuffer;

/** Conversions among the float types of model weights. */
public final class FloatTypes {
    private static final short BFLOAT16_NAN = 0x7FC0;
    private static final float[] FLOAT8_E4M3 = float8Values();

    private FloatTypes() {}

    /** Exact: a bfloat16 is the upper half of a float32. */
    public static float fromBfloat16(short bits) {
        return Float.intBitsToFloat(bits << 16);
    }

    /** Rounds to nearest, ties to even, as torch does; every NaN becomes the quiet one. */
    public static short toBfloat16(float value) {
        if (Float.isNaN(value)) {
            return BFLOAT16_NAN;
        }
        int bits = Float.floatToRawIntBits(value);
        return (short) (bits + 0x7FFF + (bits >>> 16 & 1) >>> 16);
    }

    /**
     * Exact: one sign, four exponent bits (bias 7), three mantissa bits; no infinity, one NaN of each sign.
     *
     * @see <a href="https://arxiv.org/abs/2209.05433">FP8 formats for deep learning, table 1</a>
     */
    static float fromFloat8E4M3(byte bits) {
        return FLOAT8_E4M3[Byte.toUnsignedInt(bits)];
    }

    private static float[] float8Values() {
        float[] values = new float[256];
        for (int bits = 0; bits < values.length; bits++) {
            int exponent = bits >> 3 & 15;
            int mantissa = bits & 7;
            float magnitude = exponent == 0 ? Math.scalb(mantissa, -9) : Math.scalb(8 + mantissa, exponent - 10);
            if ((bits & 0x7F) == 0x7F) {
                magnitude = Float.NaN;
            }
            values[bits] = bits < 128 ? magnitude : -magnitude;
        }
        return values;
    }

    static float get(ByteBuffer source, DType type) {
        return switch (type) {
            case BF16 -> fromBfloat16(source.getShort());
            case F16 -> Float.float16ToFloat(source.getShort());
            case F32 -> source.getFloat();
            case F64, I64, I32, I16, I8, U8, U16, U32, U64, BOOL, F8_E4M3, F8_E5M2 -> throw unsupported(type);
        };
    }

    static void put(ByteBuffer target, DType type, float value) {
        switch (type) {
            case BF16 -> target.putShort(toBfloat16(value));
            case F16 -> target.putShort(Float.floatToFloat16(value));
            case F32 -> target.putFloat(value);
            case F64, I64, I32, I16, I8, U8, U16, U32, U64, BOOL, F8_E4M3, F8_E5M2 -> throw unsupported(type);
        }
    }

    private static CheckpointException unsupported(DType type) {
        return new CheckpointException("weights of type " + type + " cannot be converted; use BF16, F16 or F32");
    }
}
