package dev.sluice.cpu.model;

import dev.sluice.checkpoint.DType;
import dev.sluice.checkpoint.TensorEntry;
import java.nio.ByteBuffer;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.function.Predicate;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/**
 * Adam with decoupled weight decay over the trainable tensors of {@link Weights}, in the arithmetic order of PyTorch's
 * single-tensor implementation. Its state is plain float32 tensors in the weights' fused layout, so that it can be saved
 * under the weights' names and go on bit for bit.
 *
 * @see <a href="https://arxiv.org/abs/1711.05101">Decoupled weight decay regularization, algorithm 2</a>
 */
@SuppressWarnings("try") // scopes and guards work by being open
public final class AdamW implements AutoCloseable {
    /** Names of the two families of moments in checkpoints, as torch.optim has them. */
    public static final List<String> FAMILIES = List.of("exp_avg", "exp_avg_sq");

    private final Weights weights;
    private final Map<String, Moments> moments = new LinkedHashMap<>();
    private long steps;

    /**
     * Running means of a tensor's gradient and of its square.
     *
     * @param mean first moment ({@code exp_avg})
     * @param square second moment ({@code exp_avg_sq})
     */
    private record Moments(Tensor mean, Tensor square) {}

    /**
     * Coefficients of one step.
     *
     * @param maxGradNorm gradients of a larger L2 norm over all trained tensors are scaled down to it
     */
    public record Coefficients(
            double learningRate, double weightDecay, double beta1, double beta2, double epsilon, double maxGradNorm) {}

    /** A fresh optimizer: all moments zero. Makes the weights record gradients. */
    public AdamW(Weights weights) {
        this.weights = weights;
        weights.requireGradients();
        try (NoGradGuard noGrad = new NoGradGuard();
                PointerScope scope = new PointerScope()) {
            weights.fused().forEach((name, tensor) -> {
                if (Weights.isTrainable(name)) {
                    Tensor mean = Tensors.keep(torch.zeros_like(tensor));
                    moments.put(name, new Moments(mean, Tensors.keep(torch.zeros_like(tensor))));
                }
            });
        }
    }

    /** Optimizer steps taken; they correct the moments' start at zero. */
    public long steps() {
        return steps;
    }

    /** Goes on after this many steps; the moments must be those of then. */
    public void resumeAfter(long stepsTaken) {
        this.steps = stepsTaken;
    }

    /** One family of moments as float32 tensors under the on-disk names of the weights that they belong to. */
    public List<WeightSource> sources(String family) {
        return weights.slices().stream()
                .filter(slice -> !slice.copy() && moments.containsKey(slice.fused()))
                .map(slice -> new WeightSource(slice, moment(family, slice.fused()), DType.F32))
                .toList();
    }

    /**
     * Replaces one family of moments.
     *
     * @param tensors where each moment lies, by the on-disk name of its weight
     * @param data the bytes of a name: row-major, little-endian
     * @throws IllegalArgumentException listing what is missing; nothing is changed then
     */
    public void putAll(String family, Map<String, TensorEntry> tensors, Function<String, ByteBuffer> data) {
        List<WeightSlice> slices = weights.slices().stream()
                .filter(slice -> !slice.copy() && moments.containsKey(slice.fused()))
                .toList();
        List<String> missing = slices.stream()
                .map(WeightSlice::name)
                .filter(name -> !tensors.containsKey(name))
                .toList();
        if (!missing.isEmpty()) {
            throw new IllegalArgumentException("the optimizer state " + family + " lacks " + missing.size()
                    + " tensors, first " + missing.getFirst());
        }
        try (NoGradGuard noGrad = new NoGradGuard()) {
            for (WeightSlice slice : slices) {
                try (PointerScope scope = new PointerScope()) {
                    TensorEntry entry = tensors.get(slice.name());
                    long[] shape =
                            slice.shape().stream().mapToLong(Long::longValue).toArray();
                    Tensor values = Tensors.of(entry.dtype(), data.apply(slice.name()), shape);
                    Weights.viewOf(moment(family, slice.fused()), slice).copy_(values);
                }
            }
        }
    }

    private Tensor moment(String family, String fusedName) {
        Moments state = moments.get(fusedName);
        return family.equals(FAMILIES.getFirst()) ? state.mean : state.square;
    }

    /** Sets all gradients to zero. */
    public void zeroGradients() {
        try (NoGradGuard noGrad = new NoGradGuard();
                PointerScope scope = new PointerScope()) {
            for (String name : moments.keySet()) {
                Tensor gradient = weights.get(name).grad();
                if (gradient.defined()) {
                    gradient.zero_();
                }
            }
        }
    }

    /** L2 norm of the gradients of the tensors that are trained together. */
    public double gradientNorm(Predicate<String> trained) {
        double squares = 0;
        try (NoGradGuard noGrad = new NoGradGuard();
                PointerScope scope = new PointerScope()) {
            for (String name : moments.keySet()) {
                Tensor gradient = weights.get(name).grad();
                if (trained.test(name) && gradient.defined()) {
                    squares += gradient.square().sum().item_double();
                }
            }
        }
        return Math.sqrt(squares);
    }

    /**
     * Clips the gradients and changes the weights.
     *
     * @param gradientNorm what {@link #gradientNorm} gave for the same tensors; finite
     * @param trained fused names to change; the others keep values and moments
     */
    public void step(Coefficients c, double gradientNorm, Predicate<String> trained) {
        steps++;
        // As clip_grad_norm_ does: the small constant keeps a zero gradient from dividing by zero.
        double scale = Math.min(1, c.maxGradNorm() / (gradientNorm + 1e-6));
        try (NoGradGuard noGrad = new NoGradGuard()) {
            moments.forEach((name, state) -> {
                try (PointerScope scope = new PointerScope()) {
                    Tensor weight = weights.get(name);
                    Tensor gradient = weight.grad();
                    if (trained.test(name) && gradient.defined()) {
                        gradient.mul_(new Scalar(scale));
                        change(weight, gradient, state, c);
                    }
                }
            });
        }
    }

    private void change(Tensor weight, Tensor gradient, Moments state, Coefficients c) {
        double meanCorrection = 1 - Math.pow(c.beta1(), steps);
        double squareCorrection = 1 - Math.pow(c.beta2(), steps);
        weight.mul_(new Scalar(1 - c.learningRate() * c.weightDecay()));
        state.mean.lerp_(gradient, new Scalar(1 - c.beta1()));
        state.square.mul_(new Scalar(c.beta2())).addcmul_(gradient, gradient, new Scalar(1 - c.beta2()));
        Tensor denominator = state.square
                .sqrt()
                .div_(new Scalar(Math.sqrt(squareCorrection)))
                .add_(new Scalar(c.epsilon()));
        weight.addcdiv_(state.mean, denominator, new Scalar(-c.learningRate() / meanCorrection));
    }

    @Override
    public void close() {
        moments.values().forEach(state -> {
            state.mean.close();
            state.square.close();
        });
        moments.clear();
    }
}
