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
            for (MegatronTensor.Box box : tensor.boxes()) {
                String name = box.cut().name();
                // A name comes up once for each of its boxes.
                if (!seen.add(name)) {
                    continue;
                }
                if (source.tensors().containsKey(name)) {
                    tensors.add(source.weight(name, dtype));
                } else {
                    missing.add(name);
                    tensors.add(absent(name, box.cut().shape(), dtype));
                }
            }
        }
        return new ImportTensors(tensors, missing.stream().sorted().toList());
    }

    private static TensorSource absent(String name, List<Long> shape, DType dtype) {
        TensorEntry entry = new TensorEntry(name, dtype, shape, 0, Shape.bytes(dtype, shape));
        return StoredSource.streamed(name, entry, dtype, out -> {
            throw new CheckpointException("tensor " + name + " is missing; give every tensor of the model");
        });
    }
}
