package dev.sluice.checkpoint;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** The elements of a tensor as numbers, for comparing them. */
public final class Elements {
    private Elements() {}

    /**
     * Decodes from a little-endian buffer's position on; the position stays.
     *
     * @param target filled with the first {@code count} elements; integers beyond 2^53 lose their last digits
     */
    public static void decode(ByteBuffer source, DType type, double[] target, int count) {
        ByteBuffer data = source.duplicate().order(ByteOrder.LITTLE_ENDIAN);
        switch (type) {
            case BF16, F16, I16, U16 -> shorts(data, type, target, count);
            case F32 -> {
                float[] floats = new float[count];
                data.asFloatBuffer().get(floats);
                for (int i = 0; i < count; i++) {
                    target[i] = floats[i];
                }
            }
            case F64 -> data.asDoubleBuffer().get(target, 0, count);
            case I64, U64 -> {
                for (int i = 0; i < count; i++) {
                    long bits = data.getLong();
                    target[i] = type == DType.U64 ? unsigned(bits) : bits;
                }
            }
            case I32, U32 -> {
                for (int i = 0; i < count; i++) {
                    int bits = data.getInt();
                    target[i] = type == DType.U32 ? Integer.toUnsignedLong(bits) : bits;
                }
            }
            case I8, U8, BOOL, F8_E4M3, F8_E5M2 -> {
                for (int i = 0; i < count; i++) {
                    target[i] = eightBits(data.get(), type);
                }
            }
        }
    }

    private static void shorts(ByteBuffer data, DType type, double[] target, int count) {
        short[] bits = new short[count];
        data.asShortBuffer().get(bits);
        switch (type) {
            case BF16 -> {
                for (int i = 0; i < count; i++) {
                    target[i] = FloatTypes.fromBfloat16(bits[i]);
                }
            }
            case F16 -> {
                for (int i = 0; i < count; i++) {
                    target[i] = Float.float16ToFloat(bits[i]);
                }
            }
            default -> {
                for (int i = 0; i < count; i++) {
                    target[i] = type == DType.U16 ? Short.toUnsignedInt(bits[i]) : bits[i];
                }
            }
        }
    }

    private static double eightBits(byte bits, DType type) {
        return switch (type) {
            case F8_E4M3 -> e4m3(bits);
            // A float16 with the last eight bits of its fraction cut off.
            case F8_E5M2 -> Float.float16ToFloat((short) (bits << 8));
            case U8 -> Byte.toUnsignedInt(bits);
            case BOOL -> bits == 0 ? 0 : 1;
            default -> bits;
        };
    }

    /** Bias 7, no infinities, and NaN where all other bits are set: the kind that torch calls float8_e4m3fn. */
    private static double e4m3(byte bits) {
        int exponent = bits >> 3 & 15;
        int fraction = bits & 7;
        double magnitude = (bits & 0x7F) == 0x7F
                ? Double.NaN
                : exponent == 0 ? Math.scalb(fraction, -9) : Math.scalb(8 + fraction, exponent - 10);
        return bits < 0 ? -magnitude : magnitude;
    }

    private static double unsigned(long bits) {
        return bits >= 0 ? bits : (bits >>> 1) * 2.0;
    }
}
