package dev.sluice.checkpoint;

import java.nio.file.Path;
import java.util.List;

/**
 * Copies whole models between Hugging Face and torch_dist. What is written appears complete or not at all, with a {@link Manifest}; an attempt that was
 * killed, cancelled or ran out of disk goes on where it stood when the same conversion is asked for again.
 */
public final class Conversion {
    private Conversion() {}

    /**
     * What a conversion wrote.
     *
     * @param bytes of the tensors
     * @param carriedOver tensors that came from the source because the trained checkpoint lacks them, sorted
     */
    public record Result(int tensors, long bytes, List<String> carriedOver) {
        public Result {
            carriedOver = List.copyOf(carriedOver);
        }

        private static Result of(List<TensorSource> tensors, List<String> carriedOver) {
            long bytes = tensors.stream().mapToLong(TensorSource::bytes).sum();
            return new Result(tensors.size(), bytes, carriedOver);
        }
    }

    /**
     * Writes a release that Megatron starts training from. No number changes unless the source has another type than its configuration says; 8-bit
     * floats are multiplied by the scales of their blocks.
     *
     * @param out the new checkpoint's root; must not exist
     * @throws CheckpointException with every problem of the source, if the disk is too small or another process writes the same, or when writing fails
     */
    public static Result toTorchDist(Path huggingFaceDir, Path out, Progress progress) {
        return toTorchDist(huggingFaceDir, out, WriteSettings.PARALLEL, progress);
    }

    static Result toTorchDist(Path huggingFaceDir, Path out, WriteSettings settings, Progress progress) {
        List<String> problems = HuggingFaceCheckpoint.problems(huggingFaceDir);
        if (!problems.isEmpty()) {
            throw new CheckpointException(String.join("\n", problems));
        }
        try (HuggingFaceCheckpoint source = HuggingFaceCheckpoint.open(huggingFaceDir)) {
            ImportTensors weights = ImportTensors.of(source);
            prepare(source, weights, out).run(settings, progress);
            return Result.of(weights.tensors(), List.of());
        }
    }

    /**
     * What {@link #toTorchDist} would do. The output may exist.
     *
     * @throws CheckpointException if the source has problems other than missing tensors
     */
    public static ConversionPlan planToTorchDist(Path huggingFaceDir, Path out) {
        try (HuggingFaceCheckpoint source = HuggingFaceCheckpoint.open(huggingFaceDir)) {
            ImportTensors weights = ImportTensors.of(source);
            List<String> problems = HuggingFaceCheckpoint.problems(huggingFaceDir);
            if (weights.missing().isEmpty() && !problems.isEmpty()) {
                throw new CheckpointException(String.join("\n", problems));
            }
            return ConversionPlan.of(
                    prepare(source, weights, out), weights.tensors().size(), List.of(), weights.missing());
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
     * @throws CheckpointException if the two belong to different models, either is damaged, the disk is too small, another process writes the same, or
     *     writing fails
     */
    public static Result toHuggingFace(
            Path torchDist, Path huggingFaceSource, Path out, long shardBytes, Progress progress) {
        return toHuggingFace(torchDist, huggingFaceSource, out, shardBytes, WriteSettings.PARALLEL, progress);
    }

    static Result toHuggingFace(
            Path torchDist,
            Path huggingFaceSource,
            Path out,
            long shardBytes,
            WriteSettings settings,
            Progress progress) {
        try (TorchDistCheckpoint trained = TorchDistCheckpoint.open(torchDist);
                HuggingFaceCheckpoint source = HuggingFaceCheckpoint.open(huggingFaceSource)) {
            ExportTensors export = ExportTensors.of(trained, source);
            export.checkComplete(trained, source);
            prepare(trained, source, export, out, shardBytes).run(settings, progress);
            return Result.of(export.tensors(), export.carriedOver());
        }
    }

    /**
     * What {@link #toHuggingFace(Path, Path, Path, long, Progress)} would do. The output may exist.
     *
     * @throws CheckpointException if the two belong to different models, or either is damaged
     */
    public static ConversionPlan planToHuggingFace(Path torchDist, Path huggingFaceSource, Path out, long shardBytes) {
        try (TorchDistCheckpoint trained = TorchDistCheckpoint.open(torchDist);
                HuggingFaceCheckpoint source = HuggingFaceCheckpoint.open(huggingFaceSource)) {
            ExportTensors export = ExportTensors.of(trained, source);
            return ConversionPlan.of(
                    prepare(trained, source, export, out, shardBytes),
                    export.tensors().size(),
                    export.carriedOver(),
                    export.missing());
        }
    }

    private static PreparedConversion prepare(HuggingFaceCheckpoint source, ImportTensors weights, Path out) {
        OutputLayout layout = TorchDistLayout.ofRoot(TrainedModel.release(source.config(), weights.tensors()));
        return PreparedConversion.of(out, layout, List.of(source.directory()));
    }

    private static PreparedConversion prepare(
            TorchDistCheckpoint trained,
            HuggingFaceCheckpoint source,
            ExportTensors export,
            Path out,
            long shardBytes) {
        List<SmallFile> assets = ModelAssets.in(source.directory());
        OutputLayout layout = HuggingFaceLayout.of(export.tensors(), shardBytes, assets);
        return PreparedConversion.of(out, layout, List.of(trained.directory(), source.directory()));
    }
}
