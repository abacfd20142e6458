package dev.sluice.domain.training;

import java.util.ArrayList;
import java.util.List;

/**
 * What a worker is given once it ran out of memory.
 *
 * @param number of this rung; 0 is the plan itself
 * @param tokensPerGpu tokens of a micro-batch on one rank; 0 as planned
 * @param recomputesAll every activation is computed again instead of kept
 */
public record MemoryRung(int number, int tokensPerGpu, boolean recomputesAll) {
    static final MemoryRung PLAN = new MemoryRung(0, 0, false);

    private static final String RECOMPUTE = "--recompute-";

    /** What is different from the plan, for people. */
    public String difference() {
        return "micro-batches of %d tokens%s"
                .formatted(tokensPerGpu, recomputesAll ? ", all activations computed again" : "");
    }

    /**
     * The plan's rules; the groups, advantages and optimizer steps of a batch stay the same.
     *
     * @param contextParallel ranks that share a micro-batch's tokens
     */
    public BatchRules rules(BatchRules planned, int contextParallel) {
        return tokensPerGpu == 0
                ? planned
                : planned.withTokensPerMicroBatch((long) tokensPerGpu * Math.max(1, contextParallel));
    }

    /** The plan's arguments of the worker. */
    public List<String> args(List<String> planned) {
        if (!recomputesAll) {
            return planned;
        }
        List<String> args = new ArrayList<>();
        for (int i = 0; i < planned.size(); i++) {
            if (planned.get(i).startsWith(RECOMPUTE)) {
                i++; // its value
            } else {
                args.add(planned.get(i));
            }
        }
        args.addAll(List.of(
                "--recompute-granularity", "full", "--recompute-method", "uniform", "--recompute-num-layers", "1"));
        return List.copyOf(args);
    }
}
