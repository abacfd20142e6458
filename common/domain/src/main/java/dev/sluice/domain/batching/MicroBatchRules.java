package dev.sluice.domain.batching;

import dev.sluice.events.Plan;
import dev.sluice.events.TrainingRequest;
import dev.sluice.events.TrainingRequest.Batching;
import java.util.Map;

/**
 * How micro-batches are made and spread.
 *
 * @param ranks data-parallel ranks
 * @param tokens that a micro-batch holds over all context-parallel ranks; a longer sample stands alone
 * @param batching what the request says
 * @param multiple of which each rank's micro-batches are: the group size of interleaved pipeline stages, else 1
 * @param work by which they are balanced
 */
public record MicroBatchRules(int ranks, long tokens, Batching batching, int multiple, SampleWork work) {
    private static final String GROUP = "microbatch-group-size-per-virtual-pipeline-stage";

    public MicroBatchRules {
        if (ranks < 1 || tokens < 1 || multiple < 1) {
            throw new IllegalArgumentException(
                    "ranks %d, tokens %d and multiple %d must be positive".formatted(ranks, tokens, multiple));
        }
    }

    /** As many samples as fit, and ranks with as many tokens each. */
    public static MicroBatchRules byTokens(int ranks, long tokens) {
        return new MicroBatchRules(ranks, tokens, Batching.BY_TOKENS, 1, SampleWork.TOKENS);
    }

    /** The plan's layout decides; a plan without GPUs leaves the tokens to the request. */
    public static MicroBatchRules of(TrainingRequest request, Plan plan) {
        Integer asked = request.training().layout().tokensPerGpu();
        int planned = plan.training().tokensPerGpu();
        int tokensPerGpu = planned > 0 ? planned : asked == null ? Integer.MAX_VALUE : asked;
        Plan.TrainingLayout layout = plan.training().layout();
        return new MicroBatchRules(
                Math.max(1, layout.dp()),
                (long) tokensPerGpu * Math.max(1, layout.cp()),
                request.training().batching(),
                multiple(request.training().megatron(), layout.pp()),
                SampleWork.of(plan.model()));
    }

    /** Interleaved stages work through micro-batches in groups, of as many as there are stages where nothing is said. */
    private static int multiple(Map<String, String> megatron, int stages) {
        boolean interleaved = megatron.containsKey("num-layers-per-virtual-pipeline-stage")
                || megatron.containsKey("num-virtual-stages-per-pipeline-rank");
        return interleaved ? Math.max(1, Integer.parseInt(megatron.getOrDefault(GROUP, Integer.toString(stages)))) : 1;
    }
}
