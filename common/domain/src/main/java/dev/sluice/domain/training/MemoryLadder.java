package dev.sluice.domain.training;

import dev.sluice.events.Backend;
import dev.sluice.events.Plan;
import dev.sluice.events.TrainingRequest;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * What to try, in order, when the worker runs out of memory: micro-batches of fewer tokens, and where it has GPUs all activations
 * computed again. A sample longer than a micro-batch stands alone, so fewer tokens than the longest sample bring nothing.
 */
public final class MemoryLadder {
    /** The CPU worker takes no more at once, whatever a request asks for: rungs above would bring nothing. */
    private static final int CPU_TOKENS = 2048;

    private final List<MemoryRung> rungs;

    private MemoryLadder(List<MemoryRung> rungs) {
        this.rungs = List.copyOf(rungs);
    }

    public static MemoryLadder of(TrainingRequest request, Plan plan) {
        Integer asked = request.training().layout().tokensPerGpu();
        int planned = plan.training().tokensPerGpu();
        int wanted = planned > 0 ? planned : asked != null ? asked : CPU_TOKENS;
        int tokens = plan.backend() == Backend.CPU ? Math.min(wanted, CPU_TOKENS) : wanted;
        boolean mayRecompute =
                plan.backend() == Backend.GPU && !recomputesAll(plan.training().args());
        List<MemoryRung> rungs = new ArrayList<>(List.of(MemoryRung.PLAN));
        add(rungs, tokens / 2, false);
        if (mayRecompute) {
            add(rungs, tokens / 2, true);
        }
        add(rungs, tokens / 4, mayRecompute);
        add(rungs, tokens / 8, mayRecompute);
        return new MemoryLadder(rungs);
    }

    private static void add(List<MemoryRung> rungs, int tokens, boolean recomputesAll) {
        if (tokens > 0) {
            rungs.add(new MemoryRung(rungs.size(), tokens, recomputesAll));
        }
    }

    private static boolean recomputesAll(List<String> args) {
        int flag = args.lastIndexOf("--recompute-granularity");
        return flag >= 0 && flag + 1 < args.size() && args.get(flag + 1).equals("full");
    }

    /** A rung by its number; the last one where there are fewer. */
    public MemoryRung rung(int number) {
        return rungs.get(Math.min(number, rungs.size() - 1));
    }

    /** A rung by its number; empty where there are fewer. */
    public Optional<MemoryRung> at(int number) {
        return number < rungs.size() ? Optional.of(rungs.get(number)) : Optional.empty();
    }

    /** Rungs below the plan. */
    public int size() {
        return rungs.size() - 1;
    }
}
