package dev.sluice.workerapi;

import dev.sluice.checkpoint.DType;
import dev.sluice.checkpoint.SafetensorsFile;
import dev.sluice.checkpoint.TensorEntry;
import dev.sluice.checkpoint.TensorSource;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.List;

/** Columns of a safetensors file as Java arrays, in both directions. */
final class Columns {
    private final SafetensorsFile file;

    Columns(SafetensorsFile file) {
        this.file = file;
    }

    int[] integers(String name) {
        ByteBuffer data = data(name, DType.I32);
        int[] values = new int[data.remaining() / 4];
        data.asIntBuffer().get(values);
        return values;
    }

    long[] longs(String name) {
        ByteBuffer data = data(name, DType.I64);
        long[] values = new long[data.remaining() / 8];
        data.asLongBuffer().get(values);
        return values;
    }

    float[] floats(String name) {
        ByteBuffer data = data(name, DType.F32);
        float[] values = new float[data.remaining() / 4];
        data.asFloatBuffer().get(values);
        return values;
    }

    byte[] bytes(String name) {
        ByteBuffer data = data(name, DType.U8);
        byte[] values = new byte[data.remaining()];
        data.get(values);
        return values;
    }

    static TensorSource of(String name, int[] values, long... shape) {
        ByteBuffer data = buffer(values.length, 4);
        data.asIntBuffer().put(values);
        List<Long> sizes = Arrays.stream(shape).boxed().toList();
        return TensorSource.of(name, DType.I32, sizes, data);
    }

    static TensorSource of(String name, long[] values) {
        ByteBuffer data = buffer(values.length, 8);
        data.asLongBuffer().put(values);
        return TensorSource.of(name, DType.I64, List.of((long) values.length), data);
    }

    static TensorSource of(String name, float[] values) {
        ByteBuffer data = buffer(values.length, 4);
        data.asFloatBuffer().put(values);
        return TensorSource.of(name, DType.F32, List.of((long) values.length), data);
    }

    static TensorSource of(String name, byte[] values) {
        return TensorSource.of(name, DType.U8, List.of((long) values.length), ByteBuffer.wrap(values));
    }

    private static ByteBuffer buffer(int length, int bytes) {
        return ByteBuffer.allocate(Math.multiplyExact(length, bytes)).order(ByteOrder.LITTLE_ENDIAN);
    }

    private ByteBuffer data(String name, DType dtype) {
        TensorEntry tensor = file.tensors().get(name);
        if (tensor == null) {
            throw new IllegalArgumentException("it has no tensor " + name);
        }
        if (tensor.dtype() != dtype) {
            throw new IllegalArgumentException(name + " is " + tensor.dtype() + ", expected " + dtype);
        }
        return file.data(name);
    }
}
