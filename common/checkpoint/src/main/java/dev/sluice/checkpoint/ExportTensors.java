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
            tensors.add(new StoredSource(name, tensor, dtype, out -> weights.writeTo(name, out)));
        });
        Set<String> written = tensors.stream().map(TensorSource::name).collect(Collectors.toSet());
        List<String> carriedOver = new ArrayList<>();
        for (String name : source.tensors().keySet()) {
            TensorEntry original = weights.tensors().get(plan.copies().getOrDefault(name, ""));
            if (!written.contains(name) && original != null) {
                // An untrained layer still shares the trained embedding and head.
                tensors.add(
                        new StoredSource(name, original, config.dtype(), out -> weights.writeTo(original.name(), out)));
            } else if (!written.contains(name)) {
                TensorEntry kept = source.tensors().get(name);
                tensors.add(StoredSource.of(name, kept, kept.dtype(), () -> source.data(name)));
                carriedOver.add(name);
            }
        }
        List<String> missing = weights.missing().stream()
                .filter(name -> !source.tensors().containsKey(name))
                .sorted()
                .toList();
        return new ExportTensors(tensors, carriedOver, missing);
    }

    void checkComplete(TorchDistCheckpoint trained, HuggingFaceCheckpoint source) {
        if (!missing.isEmpty()) {
            throw new CheckpointException("neither %s nor %s has %s; give the source that the training started from"
                    .formatted(trained.directory(), source.directory(), missing));
        }
    }
}
