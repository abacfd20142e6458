package dev.sluice.workerapi;

import org.jspecify.annotations.Nullable;

/**
 * What {@code /load} did.
 *
 * @param step steps trained into the loaded weights: 0, or a cut's
 * @param parameters values that the model has
 * @param mtp whether a multi-token-prediction layer is loaded
 * @param seconds time taken
 * @param weightsSha256 hash of the weights, as in {@link TrainResult}
 */
public record LoadResult(
        int step,
        long parameters,
        boolean mtp,
        double seconds,
        @Nullable String weightsSha256) {}
