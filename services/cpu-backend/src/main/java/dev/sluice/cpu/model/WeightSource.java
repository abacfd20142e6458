package dev.sluice.cpu.model;

import dev.sluice.checkpoint.DType;
import dev.sluice.checkpoint.TensorSource;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.WritableByteChannel;
import java.util.List;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;

/**
 * A slice of a fused tensor as it is written to a file.
 *
 * @param fused the tensor that the slice lies in: a weight, or an optimizer's moment of it
 * @param dtype F32, or BF16 (rounded to nearest even)
 */
@SuppressWarnings("try") // scopes work by being open
public record WeightSource(WeightSlice slice, Tensor fused, DType dtype) implements TensorSource {
    public WeightSource {
        if (dtype != DType.F32 && dtype != DType.BF16) {
            throw new IllegalArgumentException("weights are written as F32 or BF16, not " + dtype);
        }
    }

    /**
     * All on-disk tensors of a model, copies included.
     *
     * @param dtype of all but the routers' correction biases, which are always F32: every reader keeps them so
     */
    public static List<WeightSource> all(Weights weights, DType dtype) {
        return weights.slices().stream()
                .map(slice -> new WeightSource(
                        slice, weights.get(slice.fused()), Weights.isTrainable(slice.fused()) ? dtype : DType.F32))
                .toList();
    }

    @Override
    public String name() {
        return slice.name();
    }

    @Override
    public List<Long> shape() {
        return slice.shape();
    }

    @Override
    public void writeTo(WritableByteChannel out) throws IOException {
        try (PointerScope scope = new PointerScope()) {
            Tensor values = Weights.viewOf(fused.detach(), slice);
            ByteBuffer bytes = Tensors.bytes(dtype == DType.BF16 ? values.to(ScalarType.BFloat16) : values);
            while (bytes.hasRemaining()) {
                out.write(bytes);
            }
        }
    }
}
