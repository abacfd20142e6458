package dev.sluice.cpu.model;

import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Device;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;

/**
 * A model's weights: float32, fused for computing (see {@link WeightLayout}), reachable by their Hugging Face names.
 *
 * <p>The tensors are allocated once and live until {@link #close}; new values are copied into them, so whoever holds one
 * (a TorchScript argument list, an optimizer) sees every update. Not thread-safe: whoever updates weights keeps readers out.
 */
@SuppressWarnings("try") // scopes and guards work by being open
public final class Weights implements AutoCloseable {
    private final ModelConfig config;
    private final Map<String, Tensor> fused = new LinkedHashMap<>();
    private final Map<String, WeightSlice> slices = new LinkedHashMap<>();

    private Weights(ModelConfig config) {
        this.config = config;
    }

    /** All-zero weights on the CPU. */
    public static Weights zeros(ModelConfig config) {
        return zeros(config, new Device("cpu"));
    }

    /** All-zero weights on a device. */
    public static Weights zeros(ModelConfig config, Device device) {
        Weights weights = new Weights(config);
        WeightLayout layout = WeightLayout.of(config);
        try (PointerScope scope = new PointerScope()) {
            layout.fused().forEach((name, shape) -> {
                long[] sizes = shape.stream().mapToLong(Long::longValue).toArray();
                Tensor zeros = torch.zeros(sizes).to(device, ScalarType.Float);
                weights.fused.put(name, Tensors.keep(zeros));
            });
        }
        layout.slices().forEach(slice -> weights.slices.put(slice.name(), slice));
        return weights;
    }

    public ModelConfig config() {
        return config;
    }

    /**
     * A fused tensor, such as {@code embed}, {@code layers.0.q_a} or {@code layers.1.experts_gate_up}.
     *
     * @throws IllegalArgumentException if the model has no such tensor
     */
    public Tensor get(String fusedName) {
        Tensor tensor = fused.get(fusedName);
        if (tensor == null) {
            throw new IllegalArgumentException("no weight " + fusedName + " in a model of " + config.layers()
                    + " layers and " + config.mtpLayers() + " multi-token-prediction layers");
        }
        return tensor;
    }

    /** The fused tensors by name, in a fixed order. */
    public Map<String, Tensor> fused() {
        return Collections.unmodifiableMap(fused);
    }

    /** Every on-disk name with its place, in a fixed order, copies included. */
    public List<WeightSlice> slices() {
        return List.copyOf(slices.values());
    }

    /** Whether the optimizer may change this fused tensor: the router's correction bias is kept as loaded. */
    public static boolean isTrainable(String fusedName) {
        return !fusedName.endsWith("router_bias");
    }

    /** Number of values, on-disk copies not counted. */
    public long parameters() {
        return fused.values().stream().mapToLong(Tensor::numel).sum();
    }

    /** The part of a fused tensor that an on-disk name stands for: a view in the caller's scope, in its on-disk shape. */
    public Tensor view(WeightSlice slice) {
        return viewOf(get(slice.fused()), slice);
    }

    /**
     * The same part of the gradient that was accumulated for the fused tensor.
     *
     * @return a view in the caller's scope, undefined if there is no gradient
     */
    public Tensor gradient(WeightSlice slice) {
        Tensor gradient = get(slice.fused()).grad();
        return gradient.defined() ? viewOf(gradient, slice) : gradient;
    }

    /**
     * Copies new values in place, converting type and device.
     *
     * @param diskName Hugging Face name; values for a copy are ignored, since the original's follow
     * @throws IllegalArgumentException if there is no such weight, or the shape is another
     */
    public void put(String diskName, Tensor values) {
        WeightSlice slice = slices.get(diskName);
        if (slice == null) {
            throw new IllegalArgumentException("the model has no weight " + diskName);
        }
        List<Long> shape = new ArrayList<>();
        for (long size : Tensors.shape(values)) {
            shape.add(size);
        }
        if (!shape.equals(slice.shape())) {
            throw new IllegalArgumentException(
                    diskName + " has shape " + shape + " but config.json asks for " + slice.shape());
        }
        if (slice.copy()) {
            return;
        }
        try (NoGradGuard noGrad = new NoGradGuard();
                PointerScope scope = new PointerScope()) {
            view(slice).copy_(values);
        }
    }

    /** Makes autograd record gradients for every trainable tensor. */
    public void requireGradients() {
        fused.forEach((name, tensor) -> tensor.set_requires_grad(isTrainable(name)));
    }

    @Override
    public void close() {
        fused.values().forEach(Tensor::close);
        fused.clear();
    }

    private static Tensor viewOf(Tensor tensor, WeightSlice slice) {
        // The head's on-disk copy and whole tensors come out unchanged: narrow over the full length is the tensor
        // itself.
        return tensor.narrow(slice.axis(), slice.start(), slice.length());
    }
}
