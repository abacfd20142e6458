package dev.sluice.trainer.loop;

import dev.sluice.domain.training.AdvantageEstimator;
import dev.sluice.domain.training.OldPolicy;
import dev.sluice.events.Algorithm;
import dev.sluice.events.Rollout;
import dev.sluice.events.TrainingRequest;
import dev.sluice.workerapi.Batch;
import dev.sluice.workerapi.KlType;
import dev.sluice.workerapi.LossConfig;
import dev.sluice.workerapi.MismatchCorrection;
import dev.sluice.workerapi.ModelRole;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** The loss of a request, in the worker's terms. */
final class Objective {
    private Objective() {}

    static LossConfig.OldLogprobs oldLogprobs(TrainingRequest request) {
        return switch (OldPolicy.of(request)) {
            case ROLLOUT -> LossConfig.OldLogprobs.ROLLOUT;
            case CURRENT -> LossConfig.OldLogprobs.CURRENT;
            case FORWARD -> LossConfig.OldLogprobs.BATCH;
        };
    }

    static LossConfig loss(TrainingRequest request) {
        Algorithm algorithm = request.algorithm();
        TrainingRequest.Training training = request.training();
        return new LossConfig(
                algorithm.name(),
                algorithm.clipLow(),
                algorithm.clipHigh(),
                algorithm.dualClip(),
                algorithm.klLossCoefficient(),
                algorithm.entropyCoefficient(),
                training.mtp().train() ? training.mtp().lossScale() : 0,
                oldLogprobs(request),
                correction(request),
                training.learningRate(),
                new LossConfig.Optimizer(
                        training.weightDecay(),
                        training.beta1(),
                        training.beta2(),
                        training.epsilon(),
                        training.maxGradNorm()),
                KlType.valueOf(algorithm.klType().name()),
                algorithm.unbiasedKl(),
                algorithm.opsmDelta(),
                trainsCritic(request) ? critic(request) : null);
    }

    /** Whether the run has a critic. */
    static boolean trainsCritic(TrainingRequest request) {
        return request.algorithm().name().equals(AdvantageEstimator.PPO.wireName());
    }

    /** What a step trains: the policy, with its critic where it has one, or in the first steps the critic alone. */
    static ModelRole trained(TrainingRequest request, int step) {
        boolean alone =
                trainsCritic(request) && step <= request.algorithm().critic().onlySteps();
        return alone ? ModelRole.CRITIC : ModelRole.POLICY;
    }

    private static LossConfig.CriticLoss critic(TrainingRequest request) {
        Algorithm.Critic critic = request.algorithm().critic();
        return new LossConfig.CriticLoss(
                critic.valueClip(),
                Objects.requireNonNullElse(
                        critic.learningRate(), request.training().learningRate()));
    }

    private static @Nullable MismatchCorrection correction(TrainingRequest request) {
        Algorithm.MismatchCorrection correction = request.algorithm().mismatchCorrection();
        MismatchCorrection.Type type = switch (correction.type()) {
            case NONE -> null;
            case TIS -> MismatchCorrection.Type.TIS;
            case ICEPOP -> MismatchCorrection.Type.ICEPOP;
        };
        return type == null
                ? null
                : new MismatchCorrection(
                        type,
                        correction.low(),
                        correction.high(),
                        MismatchCorrection.Level.valueOf(correction.level().name()),
                        correction.veto());
    }

    /**
     * The worker counts the divisor in each optimizer step, unless it is constant: then it is the mini-batch's samples times
     * the longest response, as in Dr. GRPO.
     *
     * @see <a href="https://arxiv.org/abs/2503.20783">Understanding R1-Zero-like training, section 3.2</a>
     */
    static Batch.LossNormaliser normaliser(TrainingRequest request) {
        return switch (request.algorithm().lossNormaliser()) {
            case SAMPLE -> new Batch.LossNormaliser(Batch.LossNormaliser.Kind.SAMPLE, 0);
            case TOKEN -> new Batch.LossNormaliser(Batch.LossNormaliser.Kind.TOKEN, 0);
            case CONSTANT -> new Batch.LossNormaliser(Batch.LossNormaliser.Kind.CONSTANT, longestResponses(request));
        };
    }

    private static double longestResponses(TrainingRequest request) {
        Rollout rollout = request.rollout();
        double samples = (double) rollout.groupsPerStep() * rollout.samplesPerPrompt();
        return samples / request.training().optimizerStepsPerStep() * rollout.maxResponseTokens();
    }
}
