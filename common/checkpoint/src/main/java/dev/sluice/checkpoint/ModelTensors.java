package dev.sluice.checkpoint;

import com.fasterxml.jackson.databind.JsonNode;
import dev.sluice.checkpoint.MegatronTensor.Part;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.WritableByteChannel;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;

/** The tensors of a torch_dist checkpoint under Hugging Face names: the weights, or one family of optimizer states. */
public final class ModelTensors {
    private final TorchDistCheckpoint checkpoint;
    private final SortedMap<String, TensorEntry> tensors = new TreeMap<>();
    private final Map<String, Box> boxes = new HashMap<>();
    private final List<String> missing = new ArrayList<>();

    private record Box(String key, Part part) {}

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
        Box box = boxes.get(name);
        if (box == null) {
            throw new CheckpointException(checkpoint.directory() + " has no tensor " + name);
        }
        return checkpoint.read(box.key, box.part.offsets(), box.part.unpadded());
    }

    /** Writes a tensor's bytes, row-major and little-endian, in pieces of whole elements; however it is stored, it is never held as a whole. */
    void writeTo(String name, WritableByteChannel out) throws IOException {
        Box box = boxes.get(name);
        if (box == null) {
            throw new CheckpointException(checkpoint.directory() + " has no tensor " + name);
        }
        checkpoint.write(box.key, box.part.offsets(), box.part.unpadded(), out);
    }

    private ModelPlan collect(ModelConfig config, String prefix) {
        boolean nextToken = checkpoint.keys().contains(prefix + "mtp.layers.0.eh_proj.weight");
        ModelPlan plan = ModelPlan.of(config, Naming.UNIVERSAL, nextToken);
        for (MegatronTensor tensor : plan.tensors()) {
            if (checkpoint.keys().contains(prefix + tensor.key())) {
                TensorEntry stored = checkpoint.entry(prefix + tensor.key());
                check(stored, tensor);
                tensor.parts().forEach(part -> add(stored, part));
            }
        }
        plan.tensors().stream()
                .flatMap(tensor -> tensor.parts().stream())
                .map(Part::name)
                .filter(name -> !tensors.containsKey(name))
                .distinct()
                .forEach(missing::add);
        return plan;
    }

    /** All axes must agree, but the rows of a vocabulary: they depend on the parallel layout of who saved it. */
    private void check(TensorEntry stored, MegatronTensor tensor) {
        Part part = tensor.parts().getFirst();
        boolean fits = stored.shape().equals(tensor.shape())
                || tensor.paddedRows()
                        && stored.shape().size() == 2
                        && stored.shape().get(0) >= part.shape().get(0)
                        && stored.shape().get(1).equals(part.shape().get(1));
        if (!fits) {
            throw new CheckpointException(
                    "%s: %s has shape %s, but config.json says %s; the two belong to different models"
                            .formatted(checkpoint.directory(), stored.name(), stored.shape(), tensor.shape()));
        }
    }

    private void add(TensorEntry stored, Part part) {
        if (!tensors.containsKey(part.name())) {
            long bytes = Shape.bytes(stored.dtype(), part.shape());
            tensors.put(part.name(), new TensorEntry(part.name(), stored.dtype(), part.shape(), 0, bytes));
            boxes.put(part.name(), new Box(stored.name(), part));
        }
    }

    private void copy(String name, String original) {
        TensorEntry tensor = tensors.get(original);
        Box box = boxes.get(original);
        if (tensor != null && box != null) {
            tensors.put(name, new TensorEntry(name, tensor.dtype(), tensor.shape(), 0, tensor.bytes()));
            boxes.put(name, box);
        }
    }
}
