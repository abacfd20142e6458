package dev.sluice.checkpoint;

import com.fasterxml.jackson.databind.JsonNode;
import dev.sluice.checkpoint.MegatronTensor.Box;
import dev.sluice.checkpoint.MegatronTensor.Cut;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.WritableByteChannel;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.TreeSet;

/** The tensors of a torch_dist checkpoint under Hugging Face names: the weights, or one family of optimizer states. */
public final class ModelTensors {
    private final TorchDistCheckpoint checkpoint;
    private final SortedMap<String, TensorEntry> tensors = new TreeMap<>();
    private final Map<String, List<Stored>> boxes = new HashMap<>();
    private final List<String> missing = new ArrayList<>();
    private final Set<String> named = new TreeSet<>();

    private record Stored(String key, Box box) {}

    private ModelTensors(TorchDistCheckpoint checkpoint) {
        this.checkpoint = checkpoint;
    }

    /**
     * The weights, with the embedding and head that Hugging Face repeats in a multi-token-prediction layer if that layer is there.
     *
     * @throws CheckpointException if a tensor has another shape than the configuration says
     */
    public static ModelTensors weights(JsonNode config, TorchDistCheckpoint checkpoint) {
        ModelTensors tensors = new ModelTensors(checkpoint);
        ModelPlan plan = tensors.collect(new ModelConfig(config), "");
        plan.copies().forEach(tensors::copy);
        return tensors;
    }

    /**
     * One family of optimizer states, such as {@code exp_avg}; empty if the checkpoint has none.
     *
     * @throws CheckpointException if a tensor has another shape than the configuration says
     */
    public static ModelTensors optimizerStates(JsonNode config, TorchDistCheckpoint checkpoint, String family) {
        ModelTensors tensors = new ModelTensors(checkpoint);
        tensors.collect(new ModelConfig(config), TorchDistWriter.OPTIMIZER_PREFIX + family + ".");
        return tensors;
    }

    /** All tensors by name; offsets are 0 and the size. */
    public SortedMap<String, TensorEntry> tensors() {
        return Collections.unmodifiableSortedMap(tensors);
    }

    /** Tensors of the model that the checkpoint lacks. */
    public List<String> missing() {
        return Collections.unmodifiableList(missing);
    }

    /** A tensor's bytes, row-major and little-endian: mapped if they were stored in one piece, else assembled in memory. */
    public ByteBuffer data(String name) {
        List<Stored> stored = stored(name);
        if (stored.size() == 1 && stored.getFirst().box.cut().isWhole()) {
            return read(stored.getFirst());
        }
        TensorEntry tensor = tensors.get(name);
        Block whole = Block.of(Shape.origin(tensor.shape().size()), tensor.shape());
        ByteBuffer assembled = ByteBuffer.allocate(Math.toIntExact(tensor.bytes()));
        for (Stored part : stored) {
            Cut cut = part.box.cut();
            Block block = Block.of(cut.offsets(), cut.sizes());
            block.copy(read(part), block, assembled, whole, tensor.dtype().bytes());
        }
        return assembled.asReadOnlyBuffer().order(ByteOrder.LITTLE_ENDIAN);
    }

    /** A tensor to be written in a type, while the checkpoint is open. */
    TensorSource source(String name, DType dtype) {
        TensorEntry tensor = tensors.get(name);
        if (tensor == null) {
            throw absent(name);
        }
        return StoredSource.streamed(name, tensor, dtype, out -> writeTo(name, out));
    }

    /** Writes a tensor's bytes, row-major and little-endian, in pieces of whole elements; held as a whole only where it was stored in columns. */
    private void writeTo(String name, WritableByteChannel out) throws IOException {
        List<Stored> stored = stored(name);
        if (!stored.stream().allMatch(part -> part.box.cut().isContiguous())) {
            DurableFiles.writeFully(out, data(name));
            return;
        }
        for (Stored part : stored) {
            checkpoint.write(part.key, part.box.offsets(), part.box.sizes(), out);
        }
    }

    private List<Stored> stored(String name) {
        List<Stored> stored = boxes.get(name);
        if (stored == null) {
            throw absent(name);
        }
        return stored;
    }

    private CheckpointException absent(String name) {
        return new CheckpointException(checkpoint.directory() + " has no tensor " + name);
    }

    private ByteBuffer read(Stored stored) {
        return checkpoint.read(stored.key, stored.box.offsets(), stored.box.sizes());
    }

    /** Keys of the checkpoint that have a name in Hugging Face. */
    Set<String> namedKeys() {
        return Collections.unmodifiableSet(named);
    }

    /** A tensor to be read in windows. */
    TensorReader reader(String name) {
        List<Stored> stored = stored(name);
        if (stored.size() > 1 || !stored.getFirst().box.cut().isWhole()) {
            return assembled(name);
        }
        Box box = stored.getFirst().box;
        ShardedReader reader = new ShardedReader(checkpoint, checkpoint.tensor(stored.getFirst().key));
        return window -> {
            // Megatron stacks what Hugging Face keeps apart: axes in front, of which the box has one row each.
            List<Long> offsets = new ArrayList<>(box.offsets());
            List<Long> sizes = new ArrayList<>(box.sizes());
            int front = offsets.size() - window.offsets().size();
            for (int axis = 0; axis < window.offsets().size(); axis++) {
                offsets.set(
                        front + axis,
                        offsets.get(front + axis) + window.offsets().get(axis));
                sizes.set(front + axis, window.sizes().get(axis));
            }
            return reader.read(offsets, sizes);
        };
    }

    /** Megatron keeps it in several boxes, as it does queries, keys and values: put together once, for all windows. */
    private TensorReader assembled(String name) {
        int width = tensors.get(name).dtype().bytes();
        ByteBuffer[] whole = new ByteBuffer[1];
        return window -> {
            if (whole[0] == null) {
                whole[0] = data(name);
            }
            return whole[0].slice(Math.toIntExact(window.first() * width), Math.toIntExact(window.elements() * width))
                    .order(ByteOrder.LITTLE_ENDIAN);
        };
    }

    private ModelPlan collect(ModelConfig config, String prefix) {
        boolean nextToken = checkpoint.keys().contains(prefix + "mtp.layers.0.eh_proj.weight");
        ModelPlan plan = ModelPlan.of(config, Naming.UNIVERSAL, nextToken, LayerKeys.of(checkpoint.keys(), prefix));
        for (MegatronTensor tensor : plan.tensors()) {
            if (checkpoint.keys().contains(prefix + tensor.key())) {
                TensorEntry stored = checkpoint.entry(prefix + tensor.key());
                check(stored, tensor);
                named.add(stored.name());
                tensor.boxes().forEach(box -> add(stored, box));
            }
        }
        plan.tensors().stream()
                .flatMap(tensor -> tensor.boxes().stream())
                .map(box -> box.cut().name())
                .filter(name -> !tensors.containsKey(name))
                .distinct()
                .forEach(missing::add);
        return plan;
    }

    /** All axes must agree, but the rows of a vocabulary: they depend on the parallel layout of who saved it. */
    private void check(TensorEntry stored, MegatronTensor tensor) {
        Cut cut = tensor.parts().getFirst().cuts().getFirst();
        boolean fits = stored.shape().equals(tensor.shape())
                || tensor.paddedRows()
                        && stored.shape().size() == 2
                        && stored.shape().get(0) >= cut.shape().get(0)
                        && stored.shape().get(1).equals(cut.shape().get(1));
        if (!fits) {
            throw new CheckpointException(
                    "%s: %s has shape %s, but config.json says %s; the two belong to different models"
                            .formatted(checkpoint.directory(), stored.name(), stored.shape(), tensor.shape()));
        }
    }

    /** A second key that holds the same tensor, as the two namings have, adds nothing. */
    private void add(TensorEntry stored, Box box) {
        Cut cut = box.cut();
        List<Stored> known = boxes.computeIfAbsent(cut.name(), name -> new ArrayList<>());
        if (known.isEmpty()) {
            long bytes = Shape.bytes(stored.dtype(), cut.shape());
            tensors.put(cut.name(), new TensorEntry(cut.name(), stored.dtype(), cut.shape(), 0, bytes));
        }
        if (known.isEmpty() || known.getFirst().key.equals(stored.name())) {
            known.add(new Stored(stored.name(), box));
        }
    }

    private void copy(String name, String original) {
        TensorEntry tensor = tensors.get(original);
        if (tensor != null) {
            tensors.put(name, new TensorEntry(name, tensor.dtype(), tensor.shape(), 0, tensor.bytes()));
            boxes.put(name, stored(original));
        }
    }
}
