package dev.sluice.domain.training;

import dev.sluice.domain.batching.MicroBatchRules;
import dev.sluice.events.Plan;
import dev.sluice.events.TrainingRequest;

/**
 * How results become the rows of a batch.
 *
 * @param optimizerSteps mini-batches a batch is cut into, in whole groups
 * @param microBatches how a mini-batch is cut and spread over ranks
 * @param advantages what rewards become
 */
public record BatchRules(int optimizerSteps, MicroBatchRules microBatches, AdvantageRule advantages) {
    public BatchRules {
        if (optimizerSteps < 1) {
            throw new IllegalArgumentException("optimizer steps %d must be positive".formatted(optimizerSteps));
        }
    }

    /** The same with smaller or larger micro-batches. */
    BatchRules withTokensPerMicroBatch(long tokens) {
        return new BatchRules(optimizerSteps, microBatches.withTokens(tokens), advantages);
    }

    /** For a batch that is looked at and not trained on: one mini-batch, whatever the number of its groups. */
    public BatchRules inOneStep() {
        return new BatchRules(1, microBatches, advantages);
    }

    /** Groups of a batch of which every data-parallel rank gets its micro-batches in each mini-batch. */
    public int fewestGroups(int samplesPerPrompt) {
        int groupsOfAMiniBatch = Math.ceilDiv(microBatches.ranks() * microBatches.multiple(), samplesPerPrompt);
        // Fewer groups than mini-batches are as many mini-batches of one group.
        return groupsOfAMiniBatch == 1 ? 1 : optimizerSteps * groupsOfAMiniBatch;
    }

    /** Micro-batches of as many samples as hold so many tokens, on so many ranks. */
    public BatchRules(int optimizerSteps, int ranks, int tokensPerMicroBatch, AdvantageRule advantages) {
        this(optimizerSteps, MicroBatchRules.byTokens(ranks, tokensPerMicroBatch), advantages);
    }

    public static BatchRules of(TrainingRequest request, Plan plan) {
        return new BatchRules(
                request.training().optimizerStepsPerStep(),
                MicroBatchRules.of(request, plan),
                AdvantageRule.of(request.algorithm()));
    }
}
