package dev.sluice.checkpoint;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

/** Copies whole models between Hugging Face and torch_dist, tensor by tensor; what is written appears complete or not at all. */
public final class Conversion {
    private Conversion() {}

    /**
     * What a conversion wrote.
     *
     * @param carriedOver tensors that came from the source because the trained checkpoint lacks them, sorted
     */
    public record Result(int tensors, long bytes, List<String> carriedOver) {
        public Result {
            carriedOver = List.copyOf(carriedOver);
        }
    }

    /**
     * Writes a release that Megatron starts training from. No number changes unless the source has another type than its configuration says; 8-bit
     * floats are multiplied by the scales of their blocks.
     *
     * @param out the new checkpoint's root; must not exist
     * @throws CheckpointException with every problem of the source, or when writing fails
     */
    public static Result toTorchDist(Path huggingFaceDir, Path out, Progress progress) {
        List<String> problems = HuggingFaceCheckpoint.problems(huggingFaceDir);
        if (!problems.isEmpty()) {
            throw new CheckpointException(String.join("\n", problems));
        }
        try (HuggingFaceCheckpoint source = HuggingFaceCheckpoint.open(huggingFaceDir);
                NewDirectory directory = NewDirectory.beside(out)) {
            List<TensorSource> weights = weights(source);
            TorchDistWriter.write(directory.path(), TrainedModel.release(source.config(), weights), progress);
            directory.publish();
            return new Result(weights.size(), bytes(weights), List.of());
        }
    }

    /** As {@link #toHuggingFace(Path, Path, Path, long, Progress)} with shards of 5 GB. */
    public static Result toHuggingFace(Path torchDist, Path huggingFaceSource, Path out, Progress progress) {
        return toHuggingFace(torchDist, huggingFaceSource, out, HuggingFaceWriter.DEFAULT_SHARD_BYTES, progress);
    }

    /**
     * Writes a trained model for serving: weights in the type of {@code config.json} (rounded to nearest, ties to even; router biases stay float32), padded
     * vocabulary rows cut off, optimizer and random states left out.
     *
     * @param huggingFaceSource where configuration, tokenizer, other small files and missing tensors come from
     * @param out the new directory; must not exist
     * @param shardBytes a shard holds at most so much, or one larger tensor
     * @throws CheckpointException if the two belong to different models, either is damaged, or writing fails
     */
    public static Result toHuggingFace(
            Path torchDist, Path huggingFaceSource, Path out, long shardBytes, Progress progress) {
        try (TorchDistCheckpoint trained = TorchDistCheckpoint.open(torchDist);
                HuggingFaceCheckpoint source = HuggingFaceCheckpoint.open(huggingFaceSource);
                NewDirectory directory = NewDirectory.beside(out)) {
            Export export = Export.of(trained, source);
            long bytes = bytes(export.tensors());
            directory.reserve(bytes);
            HuggingFaceWriter.writeShards(
                    directory.path(), ReportingSource.all(export.tensors(), bytes, progress), shardBytes);
            ModelAssets.copy(huggingFaceSource, directory.path());
            directory.publish();
            return new Result(export.tensors().size(), bytes, export.carriedOver());
        }
    }

    /** Tensors that Megatron stores; the repeated embedding and head of a multi-token-prediction layer are not among them. */
    private static List<TensorSource> weights(HuggingFaceCheckpoint source) {
        JsonNode json = source.config();
        ModelConfig config = new ModelConfig(json);
        ModelPlan plan = ModelPlan.of(
                config, Naming.TRANSFORMER_ENGINE, ModelProblems.hasNextTokenLayer(config, source.tensors()));
        List<TensorSource> weights = new ArrayList<>();
        plan.dtypes(config.dtype()).forEach((name, dtype) -> weights.add(source.weight(name, dtype)));
        return weights;
    }

    private static long bytes(List<TensorSource> tensors) {
        return tensors.stream().mapToLong(TensorSource::bytes).sum();
    }

    /** The tensors of an export and where each comes from. */
    private record Export(List<TensorSource> tensors, List<String> carriedOver) {
        static Export of(TorchDistCheckpoint trained, HuggingFaceCheckpoint source) {
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
            checkComplete(weights, source, trained);
            return new Export(tensors, carriedOver);
        }

        /** What a tensor of the source repeats; some files of tied models hold the output layer beside the embedding. */
        private static String original(String name, ModelPlan plan, ModelConfig config) {
            return config.tied() && name.equals("lm_head.weight")
                    ? "model.embed_tokens.weight"
                    : plan.copies().getOrDefault(name, "");
        }

        private static void checkComplete(
                ModelTensors weights, HuggingFaceCheckpoint source, TorchDistCheckpoint trained) {
            List<String> nowhere = weights.missing().stream()
                    .filter(name -> !source.tensors().containsKey(name))
                    .toList();
            if (!nowhere.isEmpty()) {
                throw new CheckpointException("neither %s nor %s has %s; give the source that the training started from"
                        .formatted(trained.directory(), source.directory(), nowhere));
            }
        }
    }
}
