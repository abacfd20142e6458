package dev.sluice.domain.plan;

import dev.sluice.events.Plan.ModelFigures;
import dev.sluice.events.TrainingRequest;

/** Host memory of the embedded engine and worker, which compute in float32. Activations are not counted: they are small. */
final class CpuMemory {
    private static final double GIB = 1L << 30;
    private static final long WEIGHT_BYTES = 4;
    /** Weight, gradient and both moments of AdamW. */
    private static final long TRAINED_BYTES = 4 * WEIGHT_BYTES;

    private CpuMemory() {}

    /** GiB of the worker: weights, gradients and moments of what is trained. */
    static double workerGiB(ModelFigures model, TrainingRequest request) {
        long frozen = request.training().mtp().train() ? 0 : model.mtpParameters();
        long trained = model.totalParameters() + model.mtpParameters() - frozen;
        return (trained * TRAINED_BYTES + frozen * WEIGHT_BYTES) / GIB;
    }

    /** GiB of one engine: weights, and the latent cache of every token it can hold. */
    static double engineGiB(ModelFigures model, ModelShape shape, long cachedTokens) {
        long cacheWidth = shape.attention().latentRank() + shape.attention().rotaryHeadSize();
        long cacheFloats = cachedTokens * (shape.layers() + shape.mtpLayers()) * cacheWidth;
        return (model.totalParameters() + model.mtpParameters() + cacheFloats) * WEIGHT_BYTES / GIB;
    }
}
