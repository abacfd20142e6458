package dev.sluice.workerapi;

import com.fasterxml.jackson.annotation.JsonProperty;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * The objective and the optimizer of a step.
 *
 * @param algorithm one of {@link #ALGORITHMS}, over advantages that the trainer computed: {@code gspo} clips one ratio a
 *     sequence, {@code cispo} weighs log-probabilities by the clipped ratio, {@code sft} takes answers as given and uses
 *     neither advantages nor old log-probabilities, all others clip the ratio of each token
 * @param clipLow the probability ratio is clipped to at least 1 - clipLow
 * @param clipHigh and to at most 1 + clipHigh
 * @param dualClip bound c > 1 on the loss of tokens with a negative advantage (loss at most -c * advantage); absent: none
 * @param klLossCoefficient weight of the divergence from {@code ref_logprobs}; 0 needs no such column
 * @param entropyCoefficient weight of the mean entropy, which is subtracted
 * @param mtpLossScale weight of the multi-token-prediction layer's cross-entropy; 0 leaves the layer frozen
 * @param oldLogprobs where the ratio's denominator comes from
 * @param mismatchCorrection weight on policy losses where trainer and engine differ; absent: none
 * @param learningRate of this step, the schedule already applied
 * @param klType estimator of that divergence
 * @param unbiasedKl whether a token's divergence is multiplied by the ratio of the current policy to the old one
 * @param opsmDelta sequences with a negative advantage whose mean of old less current log-probability is above this count
 *     nothing; absent: all count
 * @param critic how the critic is trained with the policy; absent: there is none
 */
public record LossConfig(
        String algorithm,
        double clipLow,
        double clipHigh,
        @Nullable Double dualClip,
        double klLossCoefficient,
        double entropyCoefficient,
        double mtpLossScale,
        OldLogprobs oldLogprobs,
        @Nullable MismatchCorrection mismatchCorrection,
        double learningRate,
        Optimizer optimizer,
        KlType klType,
        boolean unbiasedKl,
        @Nullable Double opsmDelta,
        @Nullable CriticLoss critic) {

    /** Names of algorithms, as slime spells them. */
    public static final Set<String> ALGORITHMS = Set.of(
            "grpo", "gspo", "cispo", "rloo", "reinforce_plus_plus", "reinforce_plus_plus_baseline", "ppo", "sft");

    /** Source of the old log-probabilities. */
    public enum OldLogprobs {
        /** Those of the engines that sampled. */
        @JsonProperty("rollout")
        ROLLOUT,
        /** The current policy's, detached: exact for one optimizer step a batch, and refused for more. */
        @JsonProperty("current")
        CURRENT,
        /** The batch's column {@code old_logprobs}. */
        @JsonProperty("batch")
        BATCH
    }

    /**
     * AdamW with a bound on the gradient.
     *
     * @param weightDecay decoupled, on every trained tensor
     * @param maxGradNorm gradients of a larger L2 norm are scaled down to it
     */
    public record Optimizer(double weightDecay, double beta1, double beta2, double epsilon, double maxGradNorm) {
        /** No weight decay, betas 0.9 and 0.98, epsilon 1e-8, gradients clipped to norm 1. */
        public static final Optimizer DEFAULT = new Optimizer(0, 0.9, 0.98, 1e-8, 1.0);
    }

    /**
     * The critic's loss and learning rate; its optimizer's other values are the policy's.
     *
     * @param valueClip values are clipped to within this of those in the column {@code values}
     */
    public record CriticLoss(double valueClip, double learningRate) {}

    /** Without further models: the divergence's estimator is {@code low_var_kl}. */
    public LossConfig(
            String algorithm,
            double clipLow,
            double clipHigh,
            @Nullable Double dualClip,
            double klLossCoefficient,
            double entropyCoefficient,
            double mtpLossScale,
            OldLogprobs oldLogprobs,
            @Nullable MismatchCorrection mismatchCorrection,
            double learningRate,
            Optimizer optimizer) {
        this(
                algorithm,
                clipLow,
                clipHigh,
                dualClip,
                klLossCoefficient,
                entropyCoefficient,
                mtpLossScale,
                oldLogprobs,
                mismatchCorrection,
                learningRate,
                optimizer,
                KlType.LOW_VAR_KL,
                false,
                null,
                null);
    }

    public LossConfig {
        oldLogprobs = oldLogprobs == null ? OldLogprobs.ROLLOUT : oldLogprobs;
        klType = klType == null ? KlType.LOW_VAR_KL : klType;
        optimizer = optimizer == null ? Optimizer.DEFAULT : optimizer;
        List<String> problems = new ArrayList<>();
        if (algorithm == null || !ALGORITHMS.contains(algorithm)) {
            problems.add("algorithm \"" + algorithm + "\" is not known; use one of "
                    + String.join(", ", new TreeSet<>(ALGORITHMS)));
        }
        if (!(clipLow > 0 && clipLow <= 1)) {
            problems.add("clipLow is " + clipLow + "; it must lie above 0 and be at most 1");
        }
        if (!(clipHigh > 0)) {
            problems.add("clipHigh is " + clipHigh + "; it must be positive");
        }
        if (dualClip != null && !(dualClip > 1)) {
            problems.add("dualClip is " + dualClip + "; it must be above 1, or absent");
        }
        if (dualClip != null && "cispo".equals(algorithm)) {
            problems.add("dualClip is " + dualClip + "; cispo has no second clip");
        }
        if (mismatchCorrection != null) {
            correction(mismatchCorrection, oldLogprobs, problems);
        }
        if (!(learningRate >= 0) || Double.isInfinite(learningRate)) {
            problems.add("learningRate is " + learningRate + "; it must be finite and not negative");
        }
        if (!(mtpLossScale >= 0) || !(klLossCoefficient >= 0)) {
            problems.add("mtpLossScale is " + mtpLossScale + " and klLossCoefficient " + klLossCoefficient
                    + "; neither may be negative");
        }
        if (opsmDelta != null && !(opsmDelta >= 0)) {
            problems.add("opsmDelta is " + opsmDelta + "; it must not be negative, or be absent");
        }
        if (critic != null && !(critic.valueClip > 0 && critic.learningRate >= 0)) {
            problems.add("critic has valueClip " + critic.valueClip + " and learningRate " + critic.learningRate
                    + "; the first must be positive, the second not negative");
        }
        if (!(optimizer.beta1 >= 0 && optimizer.beta1 < 1) || !(optimizer.beta2 >= 0 && optimizer.beta2 < 1)) {
            problems.add("betas are " + optimizer.beta1 + " and " + optimizer.beta2 + "; each must be in [0, 1)");
        }
        if (!(optimizer.epsilon > 0) || !(optimizer.maxGradNorm > 0)) {
            problems.add("epsilon is " + optimizer.epsilon + " and maxGradNorm " + optimizer.maxGradNorm
                    + "; both must be positive");
        }
        if (!problems.isEmpty()) {
            throw new WorkerException(
                    WorkerErrorCode.INVALID_REQUEST, "the loss cannot be used: " + String.join("; ", problems), "");
        }
    }

    private static void correction(MismatchCorrection correction, OldLogprobs oldLogprobs, List<String> problems) {
        if (!(correction.low() >= 0 && correction.high() > correction.low())) {
            problems.add("mismatchCorrection goes from " + correction.low() + " to " + correction.high()
                    + "; low must not be negative, and high above it");
        }
        if (oldLogprobs == OldLogprobs.ROLLOUT) {
            problems.add("mismatchCorrection needs old log-probabilities that are not the engine's own");
        }
    }

    /** GRPO with clip 0.2 / 0.28, no divergence or entropy term, old log-probabilities from the engines. */
    public static LossConfig grpo(double learningRate, double mtpLossScale) {
        return new LossConfig(
                "grpo",
                0.2,
                0.28,
                null,
                0,
                0,
                mtpLossScale,
                OldLogprobs.ROLLOUT,
                null,
                learningRate,
                Optimizer.DEFAULT);
    }
}
