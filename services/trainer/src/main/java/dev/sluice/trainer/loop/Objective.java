package dev.sluice.trainer.loop;

import dev.sluice.events.TrainingRequest;
import dev.sluice.workerapi.Batch;
import dev.sluice.workerapi.LossConfig;

/** The loss of a request, in the worker's terms. */
final class Objective {
    private Objective() {}

    /**
     * Old log-probabilities, where the request leaves them open: with one optimizer step and no policy lag the current
     * policy is the one that sampled. With lag the engines' own are what the ratio needs; with several optimizer steps they
     * are computed once before the first.
     */
    static LossConfig.OldLogprobs oldLogprobs(TrainingRequest request) {
        boolean once = request.training().optimizerStepsPerStep() == 1;
        return switch (request.algorithm().oldLogprobs()) {
            case ROLLOUT -> LossConfig.OldLogprobs.ROLLOUT;
            case CURRENT -> LossConfig.OldLogprobs.CURRENT;
            case RECOMPUTE -> once ? LossConfig.OldLogprobs.CURRENT : LossConfig.OldLogprobs.BATCH;
            case AUTO -> {
                if (request.rollout().maxPolicyLag() > 0) {
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
                null,
                algorithm.klLossCoefficient(),
                algorithm.entropyCoefficient(),
                training.mtp().train() ? training.mtp().lossScale() : 0,
                oldLogprobs(request),
                training.learningRate(),
                new LossConfig.Optimizer(
                        training.weightDecay(),
                        training.beta1(),
                        training.beta2(),
                        training.epsilon(),
                        training.maxGradNorm()));
    }

    /** The divisor is counted by the worker in each optimizer step. */
    static Batch.LossNormaliser normaliser(TrainingRequest request) {
        return new Batch.LossNormaliser(
                switch (request.algorithm().lossNormaliser()) {
                    case SAMPLE -> Batch.LossNormaliser.Kind.SAMPLE;
                    case TOKEN -> Batch.LossNormaliser.Kind.TOKEN;
                },
                0);
    }

    static boolean needsReference(TrainingRequest request) {
        return request.algorithm().klLossCoefficient() > 0;
    }
}
