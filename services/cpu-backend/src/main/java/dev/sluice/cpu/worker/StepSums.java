package dev.sluice.cpu.worker;

import dev.sluice.workerapi.Batch;
import dev.sluice.workerapi.TrainMetrics;
import dev.sluice.workerapi.TrainMetrics.Mismatch;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.jspecify.annotations.Nullable;

/** What a step's slices add up to: metrics, and the log-probability of each token. */
public final class StepSums {
    private final float[] logprobs;
    private double loss;
    private double policyGradient;
    private double mtpLoss;
    private double entropy;
    private double kl;
    private double klLoss;
    private double clipFraction;
    private double ratio;
    private @Nullable Mismatch mismatch;
    private @Nullable Double masked;
    private double gradNorm;
    private int optimizerSteps;
    private boolean first = true;
    private double maxDifference;
    private double sumDifference;
    private double comparedTokens;

    StepSums(int tokens) {
        this.logprobs = new float[tokens];
    }

    /** Log-probabilities by token, filled slice by slice. */
    public float[] logprobs() {
        return logprobs;
    }

    /** Says whether what follows belongs to the first optimizer step, the only one whose policy sampled the batch. */
    StepSums firstStep(boolean isFirst) {
        this.first = isFirst;
        return this;
    }

    void add(PolicyLoss.Terms terms, Tensor totalLoss, Tensor totalMtpLoss) {
        loss += totalLoss.item_double();
        policyGradient += terms.policyGradient().item_double();
        mtpLoss += totalMtpLoss.item_double();
        entropy += terms.entropy().item_double();
        kl += terms.kl().item_double();
        klLoss += terms.klLoss().item_double();
        clipFraction += terms.clipFraction().item_double();
        ratio += terms.ratio().item_double();
        mismatch = sum(mismatch, terms.mismatch());
        if (terms.masked() != null) {
            masked = (masked == null ? 0 : masked) + terms.masked().item_double();
        }
    }

    private static @Nullable Mismatch sum(@Nullable Mismatch left, @Nullable Mismatch right) {
        if (left == null || right == null) {
            return left == null ? right : left;
        }
        return new Mismatch(
                left.ratio() + right.ratio(),
                left.clipFraction() + right.clipFraction(),
                left.distance() + right.distance());
    }

    /** Notes how far the trainer's log-probabilities lie from the engines', over tokens with a gradient. */
    void compare(Tensor current, Tensor rollout, Tensor tokenWeights) {
        if (!first) {
            return;
        }
        Tensor counts = tokenWeights.gt(new Scalar(0.0)).to(ScalarType.Float);
        Tensor difference = current.sub(rollout).abs().mul(counts);
        maxDifference = Math.max(maxDifference, difference.max().item_double());
        sumDifference += difference.sum().item_double();
        comparedTokens += counts.sum().item_double();
    }

    void optimizerStep(double norm) {
        gradNorm += norm;
        optimizerSteps++;
    }

    /** The step's figures. */
    public TrainMetrics metrics(Batch batch, double seconds) {
        return metrics(batch, seconds, null);
    }

    /** The same with those of a critic; all others are 0 where it alone was trained. */
    TrainMetrics metrics(Batch batch, double seconds, TrainMetrics.@Nullable Critic critic) {
        int steps = Math.max(1, optimizerSteps);
        int trained = 0;
        for (byte mask : batch.lossMask()) {
            trained += mask;
        }
        return new TrainMetrics(
                loss / steps,
                policyGradient / steps,
                mtpLoss / steps,
                entropy / steps,
                kl / steps,
                klLoss / steps,
                clipFraction / steps,
                ratio / steps,
                mismatch == null
                        ? null
                        : new Mismatch(
                                mismatch.ratio() / steps, mismatch.clipFraction() / steps, mismatch.distance() / steps),
                gradNorm / steps,
                trained,
                optimizerSteps,
                maxDifference,
                comparedTokens == 0 ? 0 : sumDifference / comparedTokens,
                seconds,
                batch.tokens().length / seconds,
                masked == null ? null : masked / steps,
                critic);
    }
}
