package dev.sluice.domain.arguments;

import dev.sluice.domain.candidate.Candidate;
import dev.sluice.domain.candidate.Flags;
import dev.sluice.domain.candidate.Version;
import java.util.ArrayList;
import java.util.List;

/**
 * What to try, in order, when an engine runs out of memory at its start. Each rung keeps what the ones before it changed.
 * Captured graphs, activations and a draft lie outside the static fraction, so they shrink by the first and the last rung
 * and get room by the middle two.
 */
public final class Fallbacks {
    private static final String FRACTION = "--mem-fraction-static";
    private static final double FRACTION_STEP = 0.05;
    private static final int FRACTION_RUNGS = 2;
    /** Below it the KV cache of any model worth several GPUs is too small to serve. */
    private static final double LEAST_FRACTION = 0.3;

    private static final String SPECULATIVE = "--speculative-";

    private final List<Fallback> rungs = new ArrayList<>();
    private Flags flags;

    private Fallbacks(Flags flags) {
        this.flags = flags;
    }

    /**
     * The rungs.
     *
     * @param engine the flags that the engine is first started with
     */
    public static List<Fallback> of(Candidate candidate, Flags engine) {
        Fallbacks fallbacks = new Fallbacks(engine);
        fallbacks.smallerGraphs(candidate.installed().sglang());
        for (int rung = 0; rung < FRACTION_RUNGS; rung++) {
            fallbacks.lowerFraction();
        }
        fallbacks.noSpeculation();
        return List.copyOf(fallbacks.rungs);
    }

    private void smallerGraphs(Version sglang) {
        String name = SglangFlags.spelled("--cuda-graph-max-bs", sglang);
        int batch = (int) flags.number(name, 0);
        if (batch > 1) {
            flags = flags.with(name, batch / 2);
            rungs.add(new Fallback(
                    "graphs of at most %d samples a rank instead of %d".formatted(batch / 2, batch), flags));
        }
    }

    private void lowerFraction() {
        double fraction = flags.number(FRACTION, 0);
        double lower = Math.round((fraction - FRACTION_STEP) * 100) / 100.0;
        if (lower >= LEAST_FRACTION) {
            flags = flags.with(FRACTION, FlagWriter.number(lower));
            rungs.add(new Fallback(
                    "%s of the memory for weights and KV cache instead of %s"
                            .formatted(FlagWriter.number(lower), FlagWriter.number(fraction)),
                    flags));
        }
    }

    private void noSpeculation() {
        if (!flags.has("--speculative-algorithm")) {
            return;
        }
        for (String name : List.copyOf(flags.values().keySet())) {
            if (name.startsWith(SPECULATIVE) || name.equals("--enable-draft-weights-cpu-backup")) {
                flags = flags.without(name);
            }
        }
        rungs.add(new Fallback("no speculative decoding: neither a draft's weights nor its KV cache", flags));
    }
}
