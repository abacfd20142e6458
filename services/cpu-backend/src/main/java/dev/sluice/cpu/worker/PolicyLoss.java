package dev.sluice.cpu.worker;

import dev.sluice.cpu.model.TokenScores;
import dev.sluice.workerapi.LossConfig;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.ScalarOptional;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.jspecify.annotations.Nullable;

/**
 * GRPO's objective by token, with the asymmetric clip of DAPO and, where asked for, the second clip of dual-clip PPO.
 *
 * <p>All tensors are [B, T]: B padded samples, T target positions. Every figure is the sum of its token values times
 * {@code weights}, so that micro-batches add up.
 *
 * @see <a href="https://arxiv.org/abs/2402.03300">DeepSeekMath, equation 3</a>
 * @see <a href="https://arxiv.org/abs/2503.14476">DAPO, section 3.1 (clip higher)</a>
 * @see <a href="https://arxiv.org/abs/1912.09729">Mastering complex control in MOBA games, equation 4 (dual clip)</a>
 */
final class PolicyLoss {
    /** Bound on the divergence of one token, as slime's low_var_kl has it. */
    private static final double MAX_KL = 10;

    private PolicyLoss() {}

    /**
     * What the batch gives.
     *
     * @param old log-probabilities of the policy that the ratio is taken to; no gradient
     * @param reference log-probabilities of the reference; absent without divergence term
     * @param weights mask divided by the normaliser; 0 where a token has no gradient
     */
    record Given(Tensor old, @Nullable Tensor reference, Tensor advantages, Tensor weights) {}

    /**
     * Weighted sums, each a scalar tensor.
     *
     * @param loss policy gradient, entropy and divergence terms together; has a gradient
     * @param kl old minus current log-probability
     */
    record Terms(Tensor loss, Tensor policyGradient, Tensor entropy, Tensor kl, Tensor klLoss, Tensor clipFraction) {}

    static Terms of(TokenScores current, Given given, LossConfig config) {
        Tensor logRatio = current.logprobs().sub(given.old);
        Tensor ratio = logRatio.exp();
        Tensor clippedRatio = ratio.clamp(bound(1 - config.clipLow()), bound(1 + config.clipHigh()));
        Tensor unclipped = ratio.mul(given.advantages).neg();
        Tensor clipped = clippedRatio.mul(given.advantages).neg();
        Tensor byToken = torch.maximum(unclipped, clipped);
        if (config.dualClip() != null) {
            Tensor bound = given.advantages.mul(new Scalar(-config.dualClip()));
            Tensor negative = given.advantages.lt(new Scalar(0.0));
            byToken = torch.where(negative, torch.minimum(bound, byToken), byToken);
        }
        Tensor policyGradient = byToken.mul(given.weights).sum();
        Tensor entropy = current.entropy().mul(given.weights).sum();
        Tensor klLoss = torch.zeros_like(policyGradient.detach());
        Tensor loss = policyGradient;
        if (config.entropyCoefficient() != 0) {
            loss = loss.sub(entropy.mul(new Scalar(config.entropyCoefficient())));
        }
        if (config.klLossCoefficient() != 0 && given.reference != null) {
            klLoss = lowVarianceKl(current.logprobs().sub(given.reference))
                    .mul(given.weights)
                    .sum();
            loss = loss.add(klLoss.mul(new Scalar(config.klLossCoefficient())));
        }
        Tensor kl = logRatio.neg().mul(given.weights).sum();
        Tensor clipFraction =
                clipped.gt(unclipped).to(ScalarType.Float).mul(given.weights).sum();
        return new Terms(loss, policyGradient, entropy, kl, klLoss, clipFraction);
    }

    /** Schulman's third estimator: exp(-d) - 1 + d, bounded. */
    private static Tensor lowVarianceKl(Tensor difference) {
        return difference.neg().exp().sub(new Scalar(1.0)).add(difference).clamp(bound(-MAX_KL), bound(MAX_KL));
    }

    private static ScalarOptional bound(double value) {
        return new ScalarOptional(new Scalar(value));
    }
}
