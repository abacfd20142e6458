package dev.sluice.cpu.worker;

import dev.sluice.workerapi.MismatchCorrection;
import dev.sluice.workerapi.TrainMetrics.Mismatch;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.ScalarOptional;
import org.bytedeco.pytorch.ScalarTypeOptional;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;

/**
 * Weights of tokens by how far the trainer's old policy is from the engine that sampled, [B, T] each; without gradient.
 *
 * @param byToken what a token's loss is multiplied by
 * @param figures reduced as the loss is, over the tokens that had a gradient before any was left out
 * @see <a href="https://github.com/THUDM/slime/blob/main/examples/train_infer_mismatch_helper/mis.py">slime's
 *     compute_mis_weights</a>
 */
record MismatchWeights(Tensor byToken, Mismatch figures) {
    /** Bound on the log-ratio of a sequence, whose exponential would overflow. */
    private static final double MOST = 20;

    /**
     * @param old log-probabilities of the trainer's old policy
     * @param rollout log-probabilities of the engine
     * @param weights mask divided by the normaliser
     */
    static MismatchWeights of(Tensor old, Tensor rollout, Tensor weights, MismatchCorrection correction) {
        Tensor difference = old.sub(rollout).mul(mask(weights));
        Tensor ratio = switch (correction.level()) {
            case TOKEN -> difference;
            case SEQUENCE -> bounded(sum(difference, weights));
            case GEOMETRIC -> bounded(mean(difference, weights));
        };
        ratio = ratio.exp();
        Tensor clipped = ratio.clamp(bound(correction.low()), bound(correction.high()));
        Tensor weight = switch (correction.type()) {
            case TIS -> clipped;
            case ICEPOP -> torch.where(clipped.eq(ratio), ratio, torch.zeros_like(ratio));
        };
        if (correction.veto() != null) {
            Tensor trained = weights.gt(new Scalar(0.0));
            Tensor implausible =
                    difference.lt(new Scalar(Math.log(correction.veto()))).logical_and(trained);
            Tensor vetoed = implausible.any(1, true).expand_as(ratio);
            weight = weight.masked_fill(vetoed, new Scalar(0.0));
        }
        Mismatch figures = new Mismatch(
                ratio.mul(weights).sum().item_double(),
                weight.ne(ratio).to(ScalarType.Float).mul(weights).sum().item_double(),
                ratio.sub(new Scalar(1.0)).abs().mul(weights).sum().item_double());
        return new MismatchWeights(weight, figures);
    }

    /** Mean over each sequence's trained tokens, at all of its tokens. */
    static Tensor mean(Tensor byToken, Tensor weights) {
        Tensor tokens = sum(mask(weights), weights).clamp_min(new Scalar(1.0));
        return sum(byToken, weights).div(tokens);
    }

    private static Tensor sum(Tensor byToken, Tensor weights) {
        return byToken.mul(mask(weights))
                .sum(new long[] {1}, true, new ScalarTypeOptional())
                .expand_as(byToken);
    }

    private static Tensor mask(Tensor weights) {
        return weights.gt(new Scalar(0.0)).to(ScalarType.Float);
    }

    private static Tensor bounded(Tensor logRatio) {
        return logRatio.clamp(bound(-MOST), bound(MOST));
    }

    private static ScalarOptional bound(double value) {
        return new ScalarOptional(new Scalar(value));
    }
}
