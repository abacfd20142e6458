package dev.sluice.checkpoint;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * The tensors of a Hugging Face checkpoint that Megatron stores; the repeated embedding and head of a multi-token-prediction layer are not among them.
 *
 * @param tensors in the plan's order; a missing one is there with its shape and cannot be written
 * @param missing names that the configuration calls for and the checkpoint lacks, sorted
 */
record ImportTensors(List<TensorSource> tensors, List<String> missing) {
    static ImportTensors of(HuggingFaceCheckpoint source) {
        ModelConfig config = new ModelConfig(source.config());
        boolean nextToken = ModelProblems.hasNextTokenLayer(config, source.tensors());
        ModelPlan plan = ModelPlan.of(config, Naming.TRANSFORMER_ENGINE, nextToken);
        List<TensorSource> tensors = new ArrayList<>();
        List<String> missing = new ArrayList<>();
        Set<String> seen = new HashSet<>();
        for (MegatronTensor tensor : plan.tensors()) {
            DType dtype = tensor.float32() ? DType.F32 : config.dtype();
            for (MegatronTensor.Part part : tensor.parts()) {
                String name = part.name();
                TensorEntry stored = source.tensors().get(name);
                if (!seen.add(name)) {
                    continue;
                }
                if (stored == null) {
                    missing.add(name);
                    tensors.add(absent(part, dtype));
                } else {
                    tensors.add(StoredSource.of(name, stored, dtype, () -> source.data(name)));
                }
            }
        }
        return new ImportTensors(tensors, missing.stream().sorted().toList());
    }

    private static TensorSource absent(MegatronTensor.Part part, DType dtype) {
        TensorEntry entry = new TensorEntry(part.name(), dtype, part.shape(), 0, Shape.bytes(dtype, part.shape()));
        return new StoredSource(part.name(), entry, dtype, out -> {
            throw new CheckpointException("tensor " + part.name() + " is missing; give every tensor of the model");
        });
    }
}
