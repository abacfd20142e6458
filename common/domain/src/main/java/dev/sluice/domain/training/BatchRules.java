package dev.sluice.domain.training;

import dev.sluice.events.Plan;
import dev.sluice.events.TrainingRequest;

/**
 * How results become the rows of a batch.
 *
 * @param optimizerSteps mini-batches a batch is cut into, in whole groups
 * @param ranks data-parallel ranks
 * @param tokensPerMicroBatch tokens a rank takes at once; a longer sample stands alone
 * @param advantages what rewards become
 */
public record BatchRules(int optimizerSteps, int ranks, int tokensPerMicroBatch, AdvantageRule advantages) {
    public BatchRules {
        if (optimizerSteps < 1 || ranks < 1 || tokensPerMicroBatch < 1) {
            throw new IllegalArgumentException("optimizer steps %d, ranks %d and tokens %d must be positive"
                    .formatted(optimizerSteps, ranks, tokensPerMicroBatch));
        }
    }

    /** For a batch that is looked at and not trained on: one mini-batch, whatever the number of its groups. */
    public BatchRules inOneStep() {
        return new BatchRules(1, ranks, tokensPerMicroBatch, advantages);
    }

    public static BatchRules of(TrainingRequest request, Plan plan) {
        Integer tokensPerGpu = request.training().layout().tokensPerGpu();
        return new BatchRules(
                request.training().optimizerStepsPerStep(),
                Math.max(1, plan.training().layout().dp()),
                tokensPerGpu == null ? Integer.MAX_VALUE : tokensPerGpu,
                AdvantageRule.of(request.algorithm()));
    }
}
