package dev.sluice.checkpoint;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * What a conversion would write, found out without reading or writing tensors.
 *
 * @param tensors how many, under Hugging Face names
 * @param bytes of all tensors as they would be written
 * @param diskBytes about what the new directory takes: tensors, padding and what surrounds each stored piece
 * @param carriedOver tensors that would come from the configuration's directory, because the trained checkpoint lacks them
 * @param missing tensors of the model that are nowhere; the conversion would refuse
 * @param problems everything that is wrong with the sources; nothing else is known unless this is empty
 */
public record ConversionPreview(
        int tensors,
        long bytes,
        long diskBytes,
        List<String> carriedOver,
        List<String> missing,
        List<String> problems) {
    /** An archive of {@code torch.save} adds about 0.9 KiB to each piece and .metadata 0.5; a header entry of safetensors is less. */
    private static final long AROUND_A_PIECE = 1536;

    public ConversionPreview {
        carriedOver = List.copyOf(carriedOver);
        missing = List.copyOf(missing);
        problems = List.copyOf(problems);
    }

    /** Of {@link Conversion#toTorchDist}. */
    public static ConversionPreview toTorchDist(Path huggingFaceDir) {
        List<String> problems = HuggingFaceCheckpoint.problems(huggingFaceDir);
        if (!problems.isEmpty()) {
            return rejected(problems);
        }
        try (HuggingFaceCheckpoint source = HuggingFaceCheckpoint.open(huggingFaceDir)) {
            ModelConfig config = new ModelConfig(source.config());
            boolean nextToken = ModelProblems.hasNextTokenLayer(config, source.tensors());
            ModelPlan plan = ModelPlan.of(config, Naming.UNIVERSAL, nextToken);
            long stored = 0;
            for (MegatronTensor tensor : plan.tensors()) {
                DType dtype = tensor.float32() ? DType.F32 : config.dtype();
                stored += Shape.bytes(dtype, tensor.shape())
                        + AROUND_A_PIECE * tensor.parts().size();
            }
            Map<String, DType> dtypes = plan.dtypes(config.dtype());
            long bytes = 0;
            for (Map.Entry<String, DType> tensor : dtypes.entrySet()) {
                bytes += Shape.bytes(
                        tensor.getValue(), source.tensors().get(tensor.getKey()).shape());
            }
            long disk = stored + AROUND_A_PIECE * plan.extraStates().size();
            return new ConversionPreview(dtypes.size(), bytes, disk, List.of(), List.of(), List.of());
        }
    }

    /** Of {@link Conversion#toHuggingFace}; the source may lack its weights if nothing needs to come from them. */
    public static ConversionPreview toHuggingFace(Path torchDist, Path huggingFaceSource) {
        List<String> problems = new ArrayList<>();
        try (TorchDistCheckpoint trained = TorchDistCheckpoint.open(torchDist)) {
            try (HuggingFaceCheckpoint source = HuggingFaceCheckpoint.open(huggingFaceSource)) {
                return export(trained, source.config(), source.tensors());
            }
        } catch (CheckpointException e) {
            problems.add(e.getMessage());
            return rejected(problems);
        }
    }

    private static ConversionPreview export(
            TorchDistCheckpoint trained, JsonNode json, Map<String, TensorEntry> source) {
        ModelConfig config = new ModelConfig(json);
        ModelTensors weights = ModelTensors.weights(json, trained);
        ModelPlan plan = ModelPlan.of(config, Naming.UNIVERSAL, true);
        Map<String, DType> dtypes = plan.dtypes(config.dtype());
        long bytes = 0;
        for (TensorEntry tensor : weights.tensors().values()) {
            bytes += Shape.bytes(dtypes.getOrDefault(tensor.name(), config.dtype()), tensor.shape());
        }
        List<String> carriedOver = new ArrayList<>();
        int tensors = weights.tensors().size();
        for (TensorEntry tensor : source.values()) {
            if (!weights.tensors().containsKey(tensor.name())) {
                tensors++;
                bytes += tensor.bytes();
                if (!weights.tensors().containsKey(plan.copies().getOrDefault(tensor.name(), ""))) {
                    carriedOver.add(tensor.name());
                }
            }
        }
        List<String> missing = weights.missing().stream()
                .filter(name -> !source.containsKey(name))
                .toList();
        return new ConversionPreview(tensors, bytes, bytes + AROUND_A_PIECE * tensors, carriedOver, missing, List.of());
    }

    private static ConversionPreview rejected(List<String> problems) {
        return new ConversionPreview(0, 0, 0, List.of(), List.of(), problems);
    }
}
