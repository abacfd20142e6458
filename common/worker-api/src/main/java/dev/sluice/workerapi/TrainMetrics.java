package dev.sluice.workerapi;

import org.jspecify.annotations.Nullable;

/**
 * Figures of one step. Losses, entropy, divergence and clip fraction are reduced as the loss is (see the batch's
 * normaliser) and averaged over the optimizer steps.
 *
 * @param loss everything that was minimised together
 * @param pgLoss the clipped policy-gradient part
 * @param mtpLoss cross-entropy of the multi-token-prediction layer, unscaled; 0 when it is not trained
 * @param entropy nats a token
 * @param kl mean of old minus current log-probability: how far the policy is from the one that the ratio is taken to
 * @param klLoss divergence from the reference as the loss estimates it, unscaled; 0 without one
 * @param clipFraction share of tokens whose clipped objective counted
 * @param importanceRatio mean ratio of the current policy to the old one
 * @param mismatch what a correction of the difference between trainer and engine did; absent without one
 * @param gradNorm L2 norm before clipping, mean over the optimizer steps
 * @param tokens tokens with gradient
 * @param optimizerSteps optimizer steps taken
 * @param trainRolloutLogprobMaxDifference largest |current - rollout| log-probability at the first optimizer step
 * @param trainRolloutLogprobMeanDifference its mean
 * @param seconds reading the batch included
 * @param tokensPerSecond all tokens, prompts included, by seconds
 * @param opsmClipFraction share of tokens that off-policy sequence masking left out; absent without it
 * @param critic absent where none is trained
 */
public record TrainMetrics(
        double loss,
        double pgLoss,
        double mtpLoss,
        double entropy,
        double kl,
        double klLoss,
        double clipFraction,
        double importanceRatio,
        @Nullable Mismatch mismatch,
        double gradNorm,
        int tokens,
        int optimizerSteps,
        double trainRolloutLogprobMaxDifference,
        double trainRolloutLogprobMeanDifference,
        double seconds,
        double tokensPerSecond,
        @Nullable Double opsmClipFraction,
        @Nullable Critic critic) {

    /**
     * Means over the optimizer steps.
     *
     * @param loss the clipped squared error of values, reduced as the loss is
     * @param clipFraction share of tokens whose value moved beyond the clip
     * @param gradNorm L2 norm before clipping
     */
    public record Critic(double loss, double clipFraction, double gradNorm) {}

    /**
     * Means over the tokens, reduced as the loss is.
     *
     * @param ratio the old policy's probability by the engine's, before any bound
     * @param clipFraction share of tokens whose ratio was out of bounds
     * @param distance of the ratio from 1
     */
    public record Mismatch(double ratio, double clipFraction, double distance) {}
}
