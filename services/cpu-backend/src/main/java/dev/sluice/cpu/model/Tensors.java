package dev.sluice.cpu.model;

import dev.sluice.checkpoint.DType;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.LongPointer;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.openblas.global.openblas_nolapack;
import org.bytedeco.pytorch.ScalarTypeOptional;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptions;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;

/**
 * Java arrays into libtorch tensors and back, and the thread settings that every user of libtorch here needs.
 *
 * <p>Tensors made here live in the innermost {@code PointerScope}; {@link #keep} lets one outlive it.
 */
public final class Tensors {
    private Tensors() {}

    /**
     * Gives the calling thread one intra-operation thread. Call it once in every thread that touches tensors.
     *
     * <p>libtorch's setting is per thread and does not reach OpenBLAS' own pool; two spinning pools on a small machine
     * make a training step ten times slower, and a fixed count keeps sums in one order, hence results bit-equal.
     */
    public static void useOneThread() {
        torch.set_num_threads(1);
        openblas_nolapack.blas_set_num_threads(1);
    }

    /** A float32 tensor on the CPU with a copy of the values, row-major. */
    public static Tensor of(float[] values, long... shape) {
        try (FloatPointer source = new FloatPointer(values)) {
            return torch.from_blob(source, shape, options(ScalarType.Float)).clone();
        }
    }

    /** An int64 tensor on the CPU with a copy of the values, row-major. */
    public static Tensor of(long[] values, long... shape) {
        try (LongPointer source = new LongPointer(values)) {
            return torch.from_blob(source, shape, options(ScalarType.Long)).clone();
        }
    }

    /**
     * A CPU tensor with a copy of the bytes, in their own element type.
     *
     * @param data row-major, little-endian; its position stays
     * @throws IllegalArgumentException if libtorch here has no such element type
     */
    public static Tensor of(DType dtype, ByteBuffer data, long... shape) {
        ScalarType type = switch (dtype) {
            case F64 -> ScalarType.Double;
            case F32 -> ScalarType.Float;
            case F16 -> ScalarType.Half;
            case BF16 -> ScalarType.BFloat16;
            case I64 -> ScalarType.Long;
            case I32 -> ScalarType.Int;
            case I16 -> ScalarType.Short;
            case I8 -> ScalarType.Char;
            case U8 -> ScalarType.Byte;
            case BOOL -> ScalarType.Bool;
            case U16, U32, U64, F8_E4M3, F8_E5M2 ->
                throw new IllegalArgumentException(
                        "tensors of type " + dtype + " are not computed with; convert the checkpoint to BF16");
        };
        byte[] bytes = new byte[data.remaining()];
        data.duplicate().get(bytes);
        try (BytePointer source = new BytePointer(bytes)) {
            return torch.from_blob(source, shape, options(type)).clone();
        }
    }

    /** A tensor's bytes as they lie in memory (little-endian on every platform we run on), row-major, from any device. */
    public static ByteBuffer bytes(Tensor tensor) {
        byte[] bytes = new byte[Math.toIntExact(tensor.nbytes())];
        try (Tensor host = tensor.detach().cpu().contiguous();
                BytePointer data = new BytePointer(host.data_ptr())) {
            data.get(bytes);
        }
        return ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    }

    /** Copies a float32 tensor's values, row-major, from any device. */
    public static float[] floats(Tensor tensor) {
        float[] values = new float[Math.toIntExact(tensor.numel())];
        try (Tensor host = tensor.detach().cpu().contiguous();
                FloatPointer data = host.data_ptr_float()) {
            data.get(values);
        }
        return values;
    }

    /** Copies an int64 tensor's values, row-major, from any device. */
    public static long[] longs(Tensor tensor) {
        long[] values = new long[Math.toIntExact(tensor.numel())];
        try (Tensor host = tensor.detach().cpu().contiguous();
                LongPointer data = host.data_ptr_long()) {
            data.get(values);
        }
        return values;
    }

    /** A tensor's sizes, outermost first. */
    public static long[] shape(Tensor tensor) {
        long[] shape = new long[Math.toIntExact(tensor.dim())];
        for (int i = 0; i < shape.length; i++) {
            shape[i] = tensor.size(i);
        }
        return shape;
    }

    /** Keeps a tensor or other native object alive beyond the scope it was made in; the caller closes it. */
    public static <P extends Pointer> P keep(P pointer) {
        // Detaching from the scope would free it at once (its count is still 0); one more reference does not.
        return pointer.retainReference();
    }

    /** Options for a new CPU tensor of this element type. */
    public static TensorOptions options(ScalarType type) {
        return new TensorOptions().dtype(new ScalarTypeOptional(type));
    }
}
