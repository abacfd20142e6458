package dev.sluice.cpu.model;

import dev.sluice.checkpoint.HuggingFaceCheckpoint;
import dev.sluice.checkpoint.TensorEntry;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Device;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;

/**
 * A model's weights: float32 or bfloat16 (routers always float32), fused for computing (see {@link WeightLayout}), reachable by their Hugging Face names.
 *
 * <p>The tensors are allocated once and live until {@link #close}; new values are copied into them, so whoever holds one
 * (a TorchScript argument list, an optimizer) sees every update. Not thread-safe: whoever updates weights keeps readers out.
 */
@SuppressWarnings("try") // scopes and guards work by being open
public final class Weights implements AutoCloseable {
    private static final int SHOWN_PROBLEMS = 8;

    private final ModelConfig config;
    private final Map<String, Tensor> fused = new LinkedHashMap<>();
    private final Map<String, WeightSlice> slices = new LinkedHashMap<>();

    private final ScalarType type;

    private Weights(ModelConfig config, ScalarType type) {
        this.config = config;
        this.type = type;
    }

    /** All-zero weights on the CPU. */
    public static Weights zeros(ModelConfig config) {
        return zeros(config, new Device("cpu"));
    }

    /** All-zero weights on a device. */
    public static Weights zeros(ModelConfig config, Device device) {
        return zeros(config, device, ScalarType.Float);
    }

    private static Weights zeros(ModelConfig config, Device device, ScalarType type) {
        Weights weights = new Weights(config, type);
        WeightLayout layout = WeightLayout.of(config);
        try (PointerScope scope = new PointerScope()) {
            layout.fused().forEach((name, shape) -> {
                long[] sizes = shape.stream().mapToLong(Long::longValue).toArray();
                boolean routes = name.endsWith("router") || name.endsWith("router_bias");
                Tensor zeros = torch.zeros(sizes).to(device, routes ? ScalarType.Float : type);
                weights.fused.put(name, Tensors.keep(zeros));
            });
        }
        layout.slices().forEach(slice -> weights.slices.put(slice.name(), slice));
        return weights;
    }

    /**
     * Loads a Hugging Face directory on the CPU in float32. A multi-token-prediction layer that config.json announces but the files lack
     * (transformers drops it when it saves) is left out of the model.
     *
     * @throws IllegalArgumentException if config.json cannot be used, or a tensor is missing, unknown or of another shape
     */
    public static Weights load(HuggingFaceCheckpoint checkpoint) {
        return load(checkpoint, ScalarType.Float);
    }

    /** The same in {@code Float} or {@code BFloat16}. */
    public static Weights load(HuggingFaceCheckpoint checkpoint, ScalarType type) {
        ModelConfig config = ModelConfig.of(checkpoint.config());
        String mtp = "model.layers." + config.layers() + ".";
        boolean hasMtp = checkpoint.tensors().keySet().stream().anyMatch(name -> name.startsWith(mtp));
        Weights weights = zeros(hasMtp ? config : config.withoutMtp(), new Device("cpu"), type);
        try {
            weights.putAll(checkpoint.tensors(), checkpoint::data);
            return weights;
        } catch (RuntimeException e) {
            weights.close();
            throw e;
        }
    }

    public ModelConfig config() {
        return config;
    }

    /** Type of all values but the routers'. */
    public ScalarType type() {
        return type;
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

    /**
     * Replaces all values, after checking that the names are exactly this model's; on-disk copies may be absent.
     *
     * @param tensors where each tensor lies, by Hugging Face name
     * @param data the bytes of a name: row-major, little-endian
     * @throws IllegalArgumentException listing what is missing, unknown or of another shape; nothing is changed then
     */
    public void putAll(Map<String, TensorEntry> tensors, Function<String, ByteBuffer> data) {
        List<String> problems = new ArrayList<>();
        slices.forEach((name, slice) -> {
            TensorEntry found = tensors.get(name);
            if (found == null && !slice.copy()) {
                problems.add(name + " is missing");
            } else if (found != null && !found.shape().equals(slice.shape())) {
                problems.add(name + " has shape " + found.shape() + ", expected " + slice.shape());
            }
        });
        tensors.keySet().stream()
                .filter(name -> !slices.containsKey(name))
                .forEach(name -> problems.add(name + " is unknown"));
        if (!problems.isEmpty()) {
            List<String> shown = problems.subList(0, Math.min(SHOWN_PROBLEMS, problems.size()));
            throw new IllegalArgumentException("the weights do not fit config.json in " + problems.size() + " places: "
                    + String.join("; ", shown));
        }
        for (TensorEntry tensor : tensors.values()) {
            try (PointerScope scope = new PointerScope()) {
                long[] shape =
                        tensor.shape().stream().mapToLong(Long::longValue).toArray();
                put(tensor.name(), Tensors.of(tensor.dtype(), data.apply(tensor.name()), shape));
            }
        }
    }

    /**
     * Takes over the values of another model.
     *
     * @throws IllegalArgumentException if it has other tensors; nothing is changed then
     */
    public void copyFrom(Weights other) {
        boolean same = fused.keySet().equals(other.fused.keySet())
                && fused.entrySet().stream()
                        .allMatch(entry -> Arrays.equals(
                                Tensors.shape(entry.getValue()), Tensors.shape(other.get(entry.getKey()))));
        if (!same) {
            throw new IllegalArgumentException("a model of other tensors cannot be copied from");
        }
        try (NoGradGuard noGrad = new NoGradGuard()) {
            fused.forEach((name, tensor) -> tensor.copy_(other.get(name)));
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

    static Tensor viewOf(Tensor tensor, WeightSlice slice) {
        // The head's on-disk copy and whole tensors come out unchanged: narrow over the full length is the tensor
        // itself.
        return tensor.narrow(slice.axis(), slice.start(), slice.length());
    }
}
