package dev.sluice.checkpoint;

import com.fasterxml.jackson.databind.JsonNode;
import dev.sluice.checkpoint.MegatronTensor.Box;
import dev.sluice.checkpoint.MegatronTensor.Cut;
import java.io.IOException;
import java.nio.ByteBuffer;
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
    /** What is held of a tensor that must be assembled before it is written. */
    private static final int BAND_BYTES = 8 << 20;

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

    /** The bytes of a tensor of at most 2 GiB, row-major and little-endian: mapped if they were stored in one piece, else assembled in memory. */
    public ByteBuffer data(String name) {
        stored(name);
        List<Long> shape = tensors.get(name).shape();
        return reader(name).read(Shape.origin(shape.size()), shape);
    }

    /** A tensor to be written in a type, while the checkpoint is open. */
    TensorSource source(String name, DType dtype) {
        TensorEntry tensor = tensors.get(name);
        if (tensor == null) {
            throw absent(name);
        }
        return StoredSource.streamed(name, tensor, dtype, out -> writeTo(name, out));
    }

    /** Writes a tensor's bytes, row-major and little-endian, in pieces of whole elements. */
    private void writeTo(String name, WritableByteChannel out) throws IOException {
        List<Stored> stored = stored(name);
        if (stored.stream().allMatch(part -> part.box.cut().isContiguous())) {
            for (Stored part : stored) {
                checkpoint.write(part.key, part.box.offsets(), part.box.sizes(), out);
            }
            return;
        }
        TensorEntry tensor = tensors.get(name);
        CutReader reader = reader(name);
        for (Window window :
                Window.of(tensor.shape(), BAND_BYTES / tensor.dtype().bytes())) {
            DurableFiles.writeFully(out, reader.read(window.offsets(), window.sizes()));
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

    /** Keys of the checkpoint that have a name in Hugging Face. */
    Set<String> namedKeys() {
        return Collections.unmodifiableSet(named);
    }

    /** A tensor to be read in boxes. */
    CutReader reader(String name) {
        List<CutReader.Part> parts = stored(name).stream()
                .map(part ->
                        new CutReader.Part(part.box, checkpoint.reader(part.key, part.box.offsets(), part.box.sizes())))
                .toList();
        return new CutReader(tensors.get(name).dtype(), parts);
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
