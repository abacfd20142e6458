package dev.sluice.workerapi;

import dev.sluice.events.Float32Array;
import org.jspecify.annotations.Nullable;

/**
 * What {@code /train} did.
 *
 * @param step the worker's step now
 * @param batchSha256 hash of the batch file that was trained on, hexadecimal
 * @param logprobs log-probability of each of the batch's tokens by the policy that its optimizer step began with; prompt
 *     tokens' too, 0 for each sample's first
 * @param weightsSha256 hash of the policy's weights after it, hexadecimal; absent where the same batches do not give the same
 *     bits
 */
public record TrainResult(
        int step,
        String batchSha256,
        TrainMetrics metrics,
        Float32Array logprobs,
        @Nullable String weightsSha256) {}
