package dev.sluice.checkpoint;

import java.nio.file.Path;

/**
 * Writes torch_dist checkpoints that Megatron-Core 0.16 to 0.20 load, whether its layers are local or TransformerEngine's. Tensors are written one after
 * another and never held together. The iteration's directory appears complete; the tracker that makes it current comes last.
 */
public final class TorchDistWriter {
    /** Optimizer states lie under this prefix, the family, a dot and the key of their weight. */
    static final String OPTIMIZER_PREFIX = "optimizer.state.";

    static final String SCALARS = "sluice";

    private TorchDistWriter() {}

    /**
     * Adds an iteration, or the release, to a checkpoint root; sources are asked in the calling thread.
     *
     * @param root created if need be; its tracker then names the new iteration
     * @return the iteration's directory
     * @throws CheckpointException if a weight is missing or has another shape than the configuration says, the iteration exists, or the disk is full
     */
    public static Path write(Path root, TrainedModel model, Progress progress) {
        OutputLayout layout = TorchDistLayout.ofIteration(model);
        Path target = root.resolve(TorchDistDirectory.name(model.iteration()));
        try (NewDirectory directory = NewDirectory.beside(target)) {
            directory.reserve(layout.bytes());
            LayoutWriter.write(directory.path(), layout, null, WriteSettings.SINGLE, progress);
            directory.publish();
        }
        DurableFiles.write(root.resolve(TorchDistDirectory.TRACKER), TorchDistLayout.tracker(model));
        return target;
    }
}
