package dev.sluice.checkpoint;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import dev.sluice.checkpoint.MegatronTensor.Cut;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * Which Hugging Face tensor lies where in which Megatron tensor, computed from config.json alone: for programs that load or
 * export a model and keep no name map of their own.
 *
 * @param formatVersion of the JSON document that this record is
 * @param modelType config.json's {@code model_type}
 * @param dtype of all weights but those that are float32, in torch's words
 * @param layerKeys {@code numbered}: {@code decoder.layers.7.}; {@code stacked}: {@code decoder.layers.} with the layer as
 *     the first axis
 * @param tensors in the order of the model
 * @param copies Hugging Face tensors that repeat another one: name of the copy to name of the original
 * @param paddedRows Megatron tensors to which whoever saves them may add rows that belong to no Hugging Face tensor
 */
public record TensorTable(
        int formatVersion,
        String modelType,
        String dtype,
        String layerKeys,
        List<Tensor> tensors,
        Map<String, String> copies,
        List<String> paddedRows) {
    private static final int FORMAT_VERSION = 1;
    private static final Map<DType, String> TORCH_TYPES =
            Map.of(DType.BF16, "bfloat16", DType.F16, "float16", DType.F32, "float32");

    public TensorTable {
        tensors = List.copyOf(tensors);
        paddedRows = List.copyOf(paddedRows);
    }

    /**
     * A Hugging Face tensor.
     *
     * @param float32 float32 whatever the model's type is
     * @param boxes that make it up. Keys of which a model has one, with and without TransformerEngine, hold the same: take
     *     the boxes of those that are there
     */
    public record Tensor(String name, List<Long> shape, boolean float32, List<Box> boxes) {
        public Tensor {
            shape = List.copyOf(shape);
            boxes = List.copyOf(boxes);
        }
    }

    /**
     * Elements that are the same, in the same order, on both sides.
     *
     * @param key the Megatron tensor's global key
     * @param keyOffsets first element in the Megatron tensor
     * @param keySizes its shape there: {@code sizes} behind leading ones for a layer or an expert
     * @param offsets first element in the Hugging Face tensor
     * @param sizes its shape there
     */
    public record Box(String key, List<Long> keyOffsets, List<Long> keySizes, List<Long> offsets, List<Long> sizes) {
        public Box {
            keyOffsets = List.copyOf(keyOffsets);
            keySizes = List.copyOf(keySizes);
            offsets = List.copyOf(offsets);
            sizes = List.copyOf(sizes);
        }
    }

    /**
     * The table of a model, its multi-token-prediction layers included.
     *
     * @param modelDirectory whose config.json says the shape
     * @throws CheckpointException if it cannot be read or is of no known family, or gives the model tensors without names
     */
    public static TensorTable of(Path modelDirectory) {
        return of(Json.file(modelDirectory.resolve("config.json")));
    }

    static TensorTable of(JsonNode json) {
        ModelConfig config = new ModelConfig(json);
        List<String> problems = ModelProblems.unmapped(config);
        if (!problems.isEmpty()) {
            throw new CheckpointException(String.join("; ", problems));
        }
        ModelPlan plan = ModelPlan.of(config, Naming.UNIVERSAL, config.nextTokenLayers() > 0);
        return new TensorTable(
                FORMAT_VERSION,
                config.family(),
                TORCH_TYPES.get(config.dtype()),
                config.names().layerKeys() == LayerKeys.STACKED ? "stacked" : "numbered",
                tensors(plan),
                new TreeMap<>(plan.copies()),
                plan.tensors().stream()
                        .filter(MegatronTensor::paddedRows)
                        .map(MegatronTensor::key)
                        .toList());
    }

    private static List<Tensor> tensors(ModelPlan plan) {
        Map<String, List<Box>> boxes = new LinkedHashMap<>();
        Map<String, Tensor> tensors = new LinkedHashMap<>();
        for (MegatronTensor tensor : plan.tensors()) {
            for (MegatronTensor.Box box : tensor.boxes()) {
                Cut cut = box.cut();
                tensors.putIfAbsent(cut.name(), new Tensor(cut.name(), cut.shape(), tensor.float32(), List.of()));
                boxes.computeIfAbsent(cut.name(), name -> new ArrayList<>())
                        .add(new Box(tensor.key(), box.offsets(), box.sizes(), cut.offsets(), cut.sizes()));
            }
        }
        return tensors.values().stream()
                .map(tensor -> new Tensor(tensor.name(), tensor.shape(), tensor.float32(), boxes.get(tensor.name())))
                .toList();
    }

    /** The table as JSON, a field for each of these components. */
    public byte[] json() {
        try {
            return Json.MAPPER.writeValueAsBytes(this);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("records of text and numbers are always writable", e);
        }
    }

    /**
     * Writes the table, complete or not at all.
     *
     * @throws CheckpointException if the file cannot be written
     */
    public void write(Path file) {
        DurableFiles.write(file, json());
    }
}
