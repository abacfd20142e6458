package dev.sluice.checkpoint;

import java.nio.ByteBuffer;

/** Conversions among the three float types of model weights. */
public final class FloatTypes {
    private static final short BFLOAT16_NAN = 0x7FC0;

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
