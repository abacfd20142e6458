package dev.sluice.cpu.worker;

import dev.sluice.checkpoint.DType;
import dev.sluice.checkpoint.TensorSource;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;

/** A column by token as a tensor of an answer file. */
final class ColumnSource {
    private ColumnSource() {}

    static TensorSource of(String name, float[] values) {
        ByteBuffer bytes = ByteBuffer.allocate(Math.multiplyExact(values.length, Float.BYTES))
                .order(ByteOrder.LITTLE_ENDIAN);
        bytes.asFloatBuffer().put(values);
        return TensorSource.of(name, DType.F32, List.of((long) values.length), bytes);
    }
}
