package dev.sluice.trainer.loop;

import dev.sluice.events.Rollout;
import dev.sluice.events.RunKind;
import dev.sluice.events.TrainingRequest;
import dev.sluice.workerapi.Batch;
import dev.sluice.workerapi.LossConfig;
import dev.sluice.workerapi.MismatchCorrection;
import org.jspecify.annotations.Nullable;

/** The loss of a request, in the worker's terms. */
final class Objective {
    private Objective() {}

    /**
     * Old log-probabilities, where the request leaves them open: with one optimizer step and no policy lag the current
     * policy is the one that sampled. With lag the engines' own are what the ratio needs; with several optimizer steps they
     * are computed once before the first. Given answers have no old policy.
     */
    static LossConfig.OldLogprobs oldLogprobs(TrainingRequest request) {
        if (RunKind.of(request) == RunKind.SUPERVISED) {
            return LossConfig.OldLogprobs.ROLLOUT; // of no use to its loss, so nothing is computed for it
        }
        boolean once = request.training().optimizerStepsPerStep() == 1;
        return switch (request.algorithm().oldLogprobs()) {
            case ROLLOUT -> LossConfig.OldLogprobs.ROLLOUT;
            case CURRENT -> LossConfig.OldLogprobs.CURRENT;
            case RECOMPUTE -> once ? LossConfig.OldLogprobs.CURRENT : LossConfig.OldLogprobs.BATCH;
            case AUTO -> {
                // A correction weighs the trainer's own old log-probabilities against the engine's.
                if (request.rollout().maxPolicyLag() > 0 && correction(request) == null) {
                    yield LossConfig.OldLogprobs.ROLLOUT;
                }
                yield once ? LossConfig.OldLogprobs.CURRENT : LossConfig.OldLogprobs.BATCH;
            }
        };
    }

    static LossConfig loss(TrainingRequest request) {
        TrainingRequest.Algorithm algorithm = request.algorithm();
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
                        training.maxGradNorm()));
    }

    private static @Nullable MismatchCorrection correction(TrainingRequest request) {
        TrainingRequest.MismatchCorrection correction = request.algorithm().mismatchCorrection();
        return switch (correction.type()) {
            case NONE -> null;
            case TIS -> new MismatchCorrection(MismatchCorrection.Type.TIS, correction.low(), correction.high());
            case ICEPOP -> new MismatchCorrection(MismatchCorrection.Type.ICEPOP, correction.low(), correction.high());
        };
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

    static boolean needsReference(TrainingRequest request) {
        return request.algorithm().klLossCoefficient() > 0;
    }
}
