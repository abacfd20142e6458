package dev.sluice.cpu.worker;

import dev.sluice.cpu.model.TokenScores;
import dev.sluice.workerapi.KlType;
import dev.sluice.workerapi.LossConfig;
import dev.sluice.workerapi.TrainMetrics.Mismatch;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.ScalarOptional;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.jspecify.annotations.Nullable;

/**
 * The objective by token: the clipped surrogate with the asymmetric clip of DAPO and, where asked for, the second clip of
 * dual-clip PPO; GSPO's with one ratio a sequence; CISPO's weighted log-probabilities; or the negative log-probability of
 * given answers.
 *
 * <p>All tensors are [B, T]: B padded samples, T target positions. Every figure is the sum of its token values times
 * {@code weights}, so that micro-batches add up.
 *
 * @see <a href="https://arxiv.org/abs/2402.03300">DeepSeekMath, equation 3</a>
 * @see <a href="https://arxiv.org/abs/2503.14476">DAPO, section 3.1 (clip higher)</a>
 * @see <a href="https://arxiv.org/abs/1912.09729">Mastering complex control in MOBA games, equation 4 (dual clip)</a>
 * @see <a href="https://arxiv.org/abs/2507.18071">Group sequence policy optimization, equation 5</a>
 * @see <a href="https://arxiv.org/abs/2506.13585">MiniMax-M1, equation 4 (CISPO)</a>
 * @see <a href="https://arxiv.org/abs/2512.02556">DeepSeek-V3.2, section 3.1 (unbiased divergence, off-policy sequence
 *     masking)</a>
 */
final class PolicyLoss {
    /** Bound on the divergence of one token, as slime's low_var_kl has it. */
    private static final double MAX_KL = 10;

    private PolicyLoss() {}

    /**
     * What the batch gives.
     *
     * @param old log-probabilities of the policy that the ratio is taken to; no gradient
     * @param rollout log-probabilities of the engines that sampled
     * @param reference log-probabilities of the reference; absent without divergence term
     * @param weights mask divided by the normaliser; 0 where a token has no gradient
     */
    record Given(Tensor old, Tensor rollout, @Nullable Tensor reference, Tensor advantages, Tensor weights) {
        /**
         * The values where a token has a gradient, else 0. Their product with a weight of 0 would not do: exp() of an untrained
         * token may overflow, and infinity times 0 is not a number.
         */
        Tensor trained(Tensor byToken) {
            return byToken.masked_fill(weights.le(new Scalar(0.0)), new Scalar(0.0));
        }

        Given trained() {
            return new Given(trained(old), rollout, reference == null ? null : trained(reference), advantages, weights);
        }
    }

    /**
     * Weighted sums, each a scalar tensor.
     *
     * @param loss policy gradient, entropy and divergence terms together; has a gradient
     * @param kl old minus current log-probability
     * @param ratio of the current policy to the old one
     * @param mismatch absent without its correction
     * @param masked share of tokens that off-policy sequence masking left out; absent without it
     */
    record Terms(
            Tensor loss,
            Tensor policyGradient,
            Tensor entropy,
            Tensor kl,
            Tensor klLoss,
            Tensor clipFraction,
            Tensor ratio,
            @Nullable Mismatch mismatch,
            @Nullable Tensor masked) {}

    static Terms of(TokenScores current, Given given, LossConfig config) {
        return ofTrained(
                new TokenScores(given.trained(current.logprobs()), current.entropy()), given.trained(), config);
    }

    private static Terms ofTrained(TokenScores current, Given given, LossConfig config) {
        if (config.algorithm().equals("sft")) {
            return supervised(current, given);
        }
        Tensor logRatio = current.logprobs().sub(given.old);
        if (config.algorithm().equals("gspo")) {
            logRatio = MismatchWeights.mean(logRatio, given.weights);
        }
        Tensor ratio = logRatio.exp();
        Surrogate surrogate = config.algorithm().equals("cispo")
                ? weighted(current.logprobs(), ratio, given, config)
                : clipped(ratio, given, config);
        Tensor byToken = surrogate.byToken;
        Tensor masked = null;
        if (config.opsmDelta() != null) {
            masked = offPolicy(current.logprobs().detach(), given, config.opsmDelta());
            byToken = byToken.mul(masked.neg().add(new Scalar(1.0)));
        }
        Mismatch mismatch = null;
        if (config.mismatchCorrection() != null) {
            MismatchWeights weights =
                    MismatchWeights.of(given.old, given.rollout, given.weights, config.mismatchCorrection());
            byToken = byToken.mul(weights.byToken());
            mismatch = weights.figures();
        }
        Tensor policyGradient = byToken.mul(given.weights).sum();
        Tensor entropy = current.entropy().mul(given.weights).sum();
        Tensor klLoss = torch.zeros_like(policyGradient.detach());
        Tensor loss = policyGradient;
        if (config.entropyCoefficient() != 0) {
            loss = loss.sub(entropy.mul(new Scalar(config.entropyCoefficient())));
        }
        if (config.klLossCoefficient() != 0 && given.reference != null) {
            Tensor divergence = divergence(current.logprobs().sub(given.reference), config.klType());
            if (config.unbiasedKl()) {
                divergence = current.logprobs().sub(given.old).exp().mul(divergence);
            }
            klLoss = mean(bounded(divergence, config.klType()), given);
            loss = loss.add(klLoss.mul(new Scalar(config.klLossCoefficient())));
        }
        return new Terms(
                loss,
                policyGradient,
                entropy,
                mean(logRatio.neg(), given),
                klLoss,
                mean(surrogate.clipped.to(ScalarType.Float), given),
                mean(ratio, given),
                mismatch,
                masked == null ? null : mean(masked, given));
    }

    /** Cross-entropy of given answers, slime's sft_loss; there is no policy that a ratio could be taken to. */
    private static Terms supervised(TokenScores current, Given given) {
        Tensor loss = current.logprobs().neg().mul(given.weights).sum();
        Tensor none = torch.zeros_like(loss.detach());
        Tensor entropy = current.entropy().mul(given.weights).sum();
        return new Terms(loss, none, entropy, none, none, none, none, null, null);
    }

    /** The loss by token before the mismatch's weight, and where its clip counted (bool). */
    private record Surrogate(Tensor byToken, Tensor clipped) {}

    private static Surrogate clipped(Tensor ratio, Given given, LossConfig config) {
        Tensor unclipped = ratio.mul(given.advantages).neg();
        Tensor clipped = clamp(ratio, config).mul(given.advantages).neg();
        Tensor byToken = torch.maximum(unclipped, clipped);
        if (config.dualClip() != null) {
            Tensor bound = given.advantages.mul(new Scalar(-config.dualClip()));
            Tensor negative = given.advantages.lt(new Scalar(0.0));
            byToken = torch.where(negative, torch.minimum(bound, byToken), byToken);
        }
        return new Surrogate(byToken, clipped.gt(unclipped));
    }

    /** CISPO: the gradient of every token counts, by a ratio that is clipped and has none itself. */
    private static Surrogate weighted(Tensor logprobs, Tensor ratio, Given given, LossConfig config) {
        Tensor fixed = ratio.detach();
        Tensor clipped = clamp(fixed, config);
        return new Surrogate(clipped.mul(given.advantages).mul(logprobs).neg(), clipped.ne(fixed));
    }

    /** OPSM: 1 at tokens with a negative advantage of a sequence that became less likely by more than delta nats a token. */
    private static Tensor offPolicy(Tensor current, Given given, double delta) {
        Tensor departed =
                MismatchWeights.mean(given.old.sub(current), given.weights).gt(new Scalar(delta));
        return departed.logical_and(given.advantages.lt(new Scalar(0.0))).to(ScalarType.Float);
    }

    private static Tensor clamp(Tensor ratio, LossConfig config) {
        return ratio.clamp(bound(1 - config.clipLow()), bound(1 + config.clipHigh()));
    }

    private static Tensor mean(Tensor byToken, Given given) {
        return byToken.mul(given.weights).sum();
    }

    private static Tensor divergence(Tensor difference, KlType type) {
        return switch (type) {
            case K1 -> difference;
            case K2 -> difference.square().div(new Scalar(2.0));
            case K3, LOW_VAR_KL -> difference.neg().exp().sub(new Scalar(1.0)).add(difference);
        };
    }

    private static Tensor bounded(Tensor divergence, KlType type) {
        return type == KlType.LOW_VAR_KL ? divergence.clamp(bound(-MAX_KL), bound(MAX_KL)) : divergence;
    }

    private static ScalarOptional bound(double value) {
        return new ScalarOptional(new Scalar(value));
    }
}
