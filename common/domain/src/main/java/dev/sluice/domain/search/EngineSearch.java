package dev.sluice.domain.search;

import dev.sluice.domain.candidate.Candidate;
import dev.sluice.domain.candidate.EngineSide;
import dev.sluice.domain.constraint.Constraints;
import dev.sluice.domain.cost.RolloutTime;
import dev.sluice.domain.memory.EngineMemory;
import dev.sluice.events.Problem;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Finds every engine on the cluster's rollout GPUs that breaks no constraint and fits. */
final class EngineSearch {
    /** Below this, drafting costs more attention than it saves time. */
    private static final double LEAST_GAIN = 1.05;

    /**
     * What a search came to.
     *
     * @param sized what fits, in no order
     * @param rejected what cannot run, and why
     * @param first the first engine that was looked at, for judging a layout that is given whole
     */
    record Found(List<SizedEngine> sized, Rejected rejected, EngineSide first) {}

    private EngineSearch() {}

    /** @param base everything but the engine, with some training layout that breaks nothing */
    static Found run(Candidate base, EngineOptions options, double acceptance, boolean speculationIsFree) {
        List<SizedEngine> sized = new ArrayList<>();
        Rejected rejected = new Rejected();
        List<EngineSide> engines = options.engines();
        for (EngineSide engine : engines) {
            Optional<Problem> broken = Constraints.firstOfEngine(base.with(engine));
            if (broken.isPresent()) {
                Problem problem = broken.get();
                rejected.add(family(engine, problem), problem.rule(), engine.gpus(), () -> problem);
                continue;
            }
            EngineMemory memory = EngineMemory.of(base, engine);
            RolloutTime time = RolloutTime.of(base, engine, memory, acceptance);
            double gain = engine.speculation().on() ? RolloutTime.speculationGain(base, engine, memory, acceptance) : 1;
            if (engine.speculation().on() && speculationIsFree && gain < LEAST_GAIN) {
                continue;
            }
            int nodes = Math.ceilDiv(engine.gpus(), base.cluster().gpusPerNode());
            sized.add(new SizedEngine(engine, nodes, memory, time, gain));
        }
        return new Found(sized, rejected, engines.getFirst());
    }

    private static String family(EngineSide engine, Problem problem) {
        return switch (problem.rule()) {
            case "S01", "S04", "S05" -> "attention TP " + engine.attentionTp();
            case "S06", "S07" -> "engine EP " + engine.ep();
            case "S14", "S16", "S08" -> sized(engine);
            case "H03", "H05", "H06" -> sized(engine) + ", DP " + engine.dp();
            default -> sized(engine) + ", DP %d, EP %d".formatted(engine.dp(), engine.ep());
        };
    }

    private static String sized(EngineSide engine) {
        return engine.gpus() == 1 ? "engines of one GPU" : "engines of %d GPUs".formatted(engine.gpus());
    }
}
