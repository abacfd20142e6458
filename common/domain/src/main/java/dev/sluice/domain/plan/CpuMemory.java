package dev.sluice.domain.plan;

import dev.sluice.domain.model.ModelSpec;
import dev.sluice.domain.model.ModelSpec.LatentAttention;
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
    static double workerGiB(ModelFigures figures, TrainingRequest request) {
        long frozen = request.training().mtp().train() ? 0 : figures.mtpParameters();
        long trained = figures.totalParameters() + figures.mtpParameters() - frozen;
        return (trained * TRAINED_BYTES + frozen * WEIGHT_BYTES) / GIB;
    }

    /** GiB of one engine: weights, and the latent cache of every token it can hold. */
    static double engineGiB(ModelFigures figures, ModelSpec model, long cachedTokens) {
        LatentAttention attention = CpuPlanner.latent(model);
        long cacheWidth = attention.latentRank() + attention.rotaryHeadSize();
        long cacheFloats = cachedTokens * (model.layers() + model.mtpLayers()) * cacheWidth;
        return (figures.totalParameters() + figures.mtpParameters() + cacheFloats) * WEIGHT_BYTES / GIB;
    }
}
