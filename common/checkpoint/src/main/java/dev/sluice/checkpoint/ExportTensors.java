package dev.sluice.checkpoint;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * The tensors of an export and where each comes from.
 *
 * @param carriedOver names that come from the source, sorted
 * @param missing names that neither has, sorted
 */
record ExportTensors(List<TensorSource> tensors, List<String> carriedOver, List<String> missing) {
    static ExportTensors of(TorchDistCheckpoint trained, HuggingFaceCheckpoint source) {
        ModelConfig config = new ModelConfig(source.config());
        ModelTensors weights = ModelTensors.weights(source.config(), trained);
        ModelPlan plan = ModelPlan.of(config, Naming.UNIVERSAL, true);
        Map<String, DType> dtypes = plan.dtypes(config.dtype());
        List<TensorSource> tensors = new ArrayList<>();
        weights.tensors().forEach((name, tensor) -> {
            DType dtype = dtypes.getOrDefault(name, config.dtype());
            tensors.add(weights.source(name, dtype));
        });
        Set<String> written = tensors.stream().map(TensorSource::name).collect(Collectors.toSet());
        List<String> carriedOver = new ArrayList<>();
        BlockScales scales = BlockScales.of(source.config(), source.tensors());
        for (String name : source.tensors().keySet()) {
            TensorEntry original = weights.tensors().get(original(name, plan, config));
            if (!written.contains(name) && original != null) {
                // An untrained layer still shares the trained embedding and head.
                tensors.add(weights.source(original.name(), config.dtype()).named(name));
            } else if (!written.contains(name) && !scales.isScale(name)) {
                tensors.add(scales.has(name) ? source.weight(name, config.dtype()) : source.source(name));
                carriedOver.add(name);
            }
        }
        List<String> missing = weights.missing().stream()
                .filter(name -> !source.tensors().containsKey(name))
                .sorted()
                .toList();
        return new ExportTensors(tensors, carriedOver, missing);
    }

    /** What a tensor of the source repeats; some files of tied models hold the output layer beside the embedding. */
    private static String original(String name, ModelPlan plan, ModelConfig config) {
        return config.tied() && name.equals("lm_head.weight")
                ? "model.embed_tokens.weight"
                : plan.copies().getOrDefault(name, "");
    }

    void checkComplete(TorchDistCheckpoint trained, HuggingFaceCheckpoint source) {
        if (!missing.isEmpty()) {
            throw new CheckpointException("neither %s nor %s has %s; give the source that the training started from"
                    .formatted(trained.directory(), source.directory(), missing));
        }
    }
}
