package dev.sluice.workerapi;

import dev.sluice.events.Float32Array;

/**
 * What {@code /train} did.
 *
 * @param step the worker's step now
 * @param batchSha256 hash of the batch file that was trained on, hexadecimal
 * @param logprobs log-probability of each of the batch's tokens by the policy that its optimizer step began with; prompt
 *     tokens' too, 0 for each sample's first
 */
public record TrainResult(int step, String batchSha256, TrainMetrics metrics, Float32Array logprobs) {}
