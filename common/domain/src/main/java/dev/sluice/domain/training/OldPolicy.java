package dev.sluice.domain.training;

import dev.sluice.events.Algorithm;
import dev.sluice.events.Algorithm.CorrectionType;
import dev.sluice.events.Algorithm.OldLogprobs;
import dev.sluice.events.RunKind;
import dev.sluice.events.TrainingRequest;

/** Where the log-probabilities come from that a step's ratios are taken to. */
public enum OldPolicy {
    /** The engines that sampled. */
    ROLLOUT,
    /** The policy as it is when its one optimizer step begins: no pass of its own. */
    CURRENT,
    /** A pass of the policy before the first optimizer step. */
    FORWARD;

    /**
     * Where the request leaves it open: with one optimizer step and no policy lag the current policy is the one that sampled.
     * With lag the engines' own are what the ratio needs; with several optimizer steps they are computed once before the
     * first.
     */
    public static OldPolicy of(TrainingRequest request) {
        if (RunKind.of(request) == RunKind.SUPERVISED) {
            return ROLLOUT; // given answers have no old policy, so nothing is computed for one
        }
        Algorithm algorithm = request.algorithm();
        // Advantages that need them are computed before the step.
        boolean early =
                algorithm.klRewardCoefficient() > 0 || algorithm.distillation().asksTeacher();
        OldPolicy own = request.training().optimizerStepsPerStep() == 1 && !early ? CURRENT : FORWARD;
        if (algorithm.oldLogprobs() == OldLogprobs.ROLLOUT) {
            return ROLLOUT;
        }
        // A correction weighs the trainer's own old log-probabilities against the engine's.
        boolean corrected = algorithm.mismatchCorrection().type() != CorrectionType.NONE;
        boolean lags = request.rollout().maxPolicyLag() > 0;
        return algorithm.oldLogprobs() == OldLogprobs.AUTO && lags && !corrected ? ROLLOUT : own;
    }
}
