package dev.sluice.domain.request;

import dev.sluice.domain.request.RequestRule.Findings;
import dev.sluice.events.Algorithm.CorrectionType;
import dev.sluice.events.Backend;
import dev.sluice.events.Rollout;
import dev.sluice.events.Rollout.StaleSamples;
import dev.sluice.events.TrainingRequest;
import dev.sluice.events.TrainingRequest.Batching;
import java.util.List;

/** Rules about how samples become batches, and what becomes of those that are too old. */
final class BatchingRules {
    static final List<RequestRule> ALL = List.of(
            new RequestRule("training.batching", "micro-batches have one measure", BatchingRules::microBatches),
            new RequestRule(
                    "training.token-budget", "the longest sample fits a micro-batch", BatchingRules::longestSample),
            new RequestRule("rollout.stale-samples", "old samples can be weighed", BatchingRules::staleSamples));

    private BatchingRules() {}

    private static void microBatches(TrainingRequest request, Facts facts, Findings findings) {
        Batching batching = request.training().batching();
        Integer tokens = request.training().layout().tokensPerGpu();
        if (batching.microBatchSize() == null) {
            return;
        }
        if (tokens != null) {
            findings.error(
                    "training.batching.microBatchSize",
                    "micro-batches cannot be of %d samples and of up to %d tokens a GPU (training.layout.tokensPerGpu)"
                            .formatted(batching.microBatchSize(), tokens),
                    "leave one of them out; tokens waste less where samples differ in length");
        }
        if (batching.balanceByFlops()) {
            findings.error(
                    "training.batching.balanceByFlops",
                    "it moves samples between micro-batches, which are of %d samples here"
                            .formatted(batching.microBatchSize()),
                    "leave out microBatchSize, or set it to false");
        }
    }

    /** On GPUs the plan tells it, with the layout that it has chosen. */
    private static void longestSample(TrainingRequest request, Facts facts, Findings findings) {
        Integer tokens = request.training().layout().tokensPerGpu();
        int longest = request.data().maxPromptTokens() + request.rollout().maxResponseTokens();
        if (request.backend() == Backend.CPU && tokens != null && longest > tokens) {
            findings.warning(
                    "training.layout.tokensPerGpu",
                    "a sample may have %d tokens, more than the %d of a micro-batch: it is trained alone"
                            .formatted(longest, tokens),
                    "set it to %d or more, or lower rollout.maxResponseTokens".formatted(longest));
        }
    }

    private static void staleSamples(TrainingRequest request, Facts facts, Findings findings) {
        Rollout rollout = request.rollout();
        boolean corrected = request.algorithm().mismatchCorrection().type() != CorrectionType.NONE;
        if (rollout.staleSamples() == StaleSamples.CORRECT && !corrected) {
            findings.error(
                    "rollout.staleSamples",
                    "correct weighs samples older than rollout.maxPolicyLag %d by algorithm.mismatchCorrection, which is none"
                            .formatted(rollout.maxPolicyLag()),
                    "set algorithm.mismatchCorrection.type to tis or icepop, or rollout.staleSamples to drop or mask");
        }
    }
}
