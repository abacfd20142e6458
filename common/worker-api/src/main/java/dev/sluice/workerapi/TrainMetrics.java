package dev.sluice.workerapi;

/**
 * Figures of one step. Losses, entropy, divergence and clip fraction are reduced as the loss is (see the batch's
 * normaliser) and averaged over the optimizer steps.
 *
 * @param loss everything that was minimised together
 * @param pgLoss the clipped policy-gradient part
 * @param mtpLoss cross-entropy of the multi-token-prediction layer, unscaled; 0 when it is not trained
 * @param entropy nats a token
 * @param kl mean of old minus current log-probability: how far the policy is from the one that the ratio is taken to
 * @param klLoss low-variance divergence from the reference; 0 without one
 * @param clipFraction share of tokens whose clipped objective counted
 * @param gradNorm L2 norm before clipping, mean over the optimizer steps
 * @param tokens tokens with gradient
 * @param optimizerSteps optimizer steps taken
 * @param trainRolloutLogprobMaxDifference largest |current - rollout| log-probability at the first optimizer step
 * @param trainRolloutLogprobMeanDifference its mean
 * @param seconds reading the batch included
 * @param tokensPerSecond all tokens, prompts included, by seconds
 */
public record TrainMetrics(
        double loss,
        double pgLoss,
        double mtpLoss,
        double entropy,
        double kl,
        double klLoss,
        double clipFraction,
        double gradNorm,
        int tokens,
        int optimizerSteps,
        double trainRolloutLogprobMaxDifference,
        double trainRolloutLogprobMeanDifference,
        double seconds,
        double tokensPerSecond) {}
