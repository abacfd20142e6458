package dev.sluice.domain.constraint;

import static dev.sluice.domain.constraint.Constraint.Severity.ERROR;
import static dev.sluice.domain.constraint.Constraint.Severity.WARNING;

import dev.sluice.domain.candidate.Candidate;
import dev.sluice.domain.candidate.EngineSide;
import dev.sluice.domain.constraint.Constraint.Breach;
import dev.sluice.domain.memory.EngineMemory;
import dev.sluice.domain.memory.HostMemory;
import dev.sluice.domain.memory.LayerSums;
import dev.sluice.domain.memory.PipelineStages;
import dev.sluice.domain.memory.StageMemory;
import dev.sluice.domain.memory.TrainingMemory;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** What must fit into GPUs and hosts. Dearer than other constraints: each check computes the candidate's memory. */
final class MemoryConstraints {
    /** Above SGLang's own heuristic by no more than this, engines have been seen to start. */
    private static final double TOLERATED_FRACTION = 0.03;
    /** Fuller caches are retracted from time to time, and their prefill is done again. */
    private static final double COMFORTABLE_SHARE = 0.9;

    static final List<Constraint> ALL = List.of(
            new Constraint(
                    "H01",
                    ERROR,
                    "training.layout",
                    "training fits 94 % of a GPU's usable memory",
                    "planner: measured 0 to 8 % below the model on one H100",
                    MemoryConstraints::trainingFits),
            new Constraint(
                    "H02",
                    ERROR,
                    "cluster.hostMemoryGiB",
                    "CPU Adam, weight copies and processes fit the host",
                    "planner: calibrated on DeepSeek-R1 in slime and verl",
                    MemoryConstraints::hostFits),
            new Constraint(
                    "H03",
                    ERROR,
                    "rollout.layout",
                    "a rank's KV cache holds one longest sequence and its drafts",
                    "SGLang model_runner_kv_cache_mixin, RuntimeError",
                    MemoryConstraints::longestSequenceFits),
            new Constraint(
                    "H04",
                    WARNING,
                    "rollout.layout.maxRunningRequests",
                    "tokens in flight fill at most 90 % of the KV cache",
                    "slime v0.1.0 blog",
                    MemoryConstraints::cacheIsWideEnough),
            new Constraint(
                    "H05",
                    ERROR,
                    "rollout.layout.memFractionStatic",
                    "the static share leaves room for graphs, activations and the draft",
                    "SGLang server_args, memory heuristic",
                    MemoryConstraints::fractionLeavesRoom),
            new Constraint(
                    "H06",
                    ERROR,
                    "rollout.layout.memFractionStatic",
                    "a colocated trainer's residue and the draft lie beside the static share",
                    "slime v0.1.0 blog: 3 to 5 GB stay",
                    MemoryConstraints::residueFits));

    private MemoryConstraints() {}

    private static @Nullable Breach trainingFits(Candidate candidate) {
        if (!divisible(candidate)) {
            return null;
        }
        double needed = TrainingMemory.of(candidate).gib();
        double limit = TrainingMemory.limitGiB(candidate);
        if (needed <= limit) {
            return null;
        }
        return new Breach(
                String.format(
                        Locale.ROOT,
                        "training needs %.1f GiB on the fullest GPU; %.1f of %.1f GiB may be used",
                        needed,
                        limit,
                        candidate.cluster().gpu().usableGiB()),
                MemoryMends.of(candidate));
    }

    private static @Nullable Breach hostFits(Candidate candidate) {
        int given = candidate.cluster().hostMemoryGiB();
        if (given == 0 || !divisible(candidate)) {
            return null;
        }
        LayerSums sums = LayerSums.of(candidate.model());
        TrainingMemory training = TrainingMemory.of(candidate, sums);
        HostMemory host = HostMemory.of(candidate, training, sums);
        if (host.gib() <= given) {
            return null;
        }
        int frozen = candidate.workload().frozenModels();
        String reference = frozen > 0
                ? String.format(
                        Locale.ROOT,
                        "drop the reference model (-%.0f GiB: algorithm.klLossCoefficient 0), ",
                        host.copies() / (1 + frozen) / StageMemory.GIB)
                : "";
        return new Breach(
                String.format(
                        Locale.ROOT,
                        "CPU Adam (%.0f GiB), weight copies (%.0f) and processes (%.0f) need %.0f GiB on each host; it has %d",
                        host.adam() / StageMemory.GIB,
                        host.copies() / StageMemory.GIB,
                        host.processes() / StageMemory.GIB,
                        host.gib(),
                        given),
                reference + "add nodes (cluster.trainNodes), or set training.layout.cpuAdam to 0");
    }

    private static @Nullable Breach longestSequenceFits(Candidate candidate) {
        EngineSide engine = candidate.engine();
        if (engine == null || !spreadable(engine)) {
            return null;
        }
        long needed =
                candidate.workload().contextTokens() + engine.speculation().draftTokens();
        long held = EngineMemory.of(candidate, engine).cacheTokens();
        return held >= needed
                ? null
                : new Breach(
                        "not even one sequence fits: a rank's KV cache holds %d tokens, the longest sequence has %d"
                                .formatted(held, needed),
                        "raise rollout.layout.memFractionStatic or gpusPerEngine and ep, or set"
                                + " rollout.layout.kvCacheDtype to fp8_e4m3");
    }

    private static @Nullable Breach cacheIsWideEnough(Candidate candidate) {
        EngineSide engine = candidate.engine();
        if (engine == null || engine.maxRunningRequests() == 0 || !spreadable(engine)) {
            return null;
        }
        // Groups always mean DP attention: the planner writes the flag where it lacks (S02).
        int ranks = Math.max(1, engine.dp());
        int queued = Math.ceilDiv(candidate.workload().samplesPerStep(), Math.max(1, candidate.engines()));
        long running = Math.min(queued, engine.maxRunningRequests());
        long mean =
                candidate.workload().maxPromptTokens() + candidate.workload().meanResponseTokens();
        long inFlight = Math.ceilDiv(running, ranks) * mean;
        long held = EngineMemory.of(candidate, engine).cacheTokens();
        return held == 0 || inFlight <= COMFORTABLE_SHARE * held
                ? null
                : new Breach(
                        "%d samples of %d tokens on a rank need %d tokens of KV cache; it holds %d: samples will be retracted and their prefill done again"
                                .formatted(Math.ceilDiv(running, ranks), mean, inFlight, held),
                        "lower rollout.layout.maxRunningRequests to %d"
                                .formatted((long) Math.max(1, COMFORTABLE_SHARE * held / Math.max(1, mean)) * ranks));
    }

    private static @Nullable Breach fractionLeavesRoom(Candidate candidate) {
        EngineSide engine = candidate.engine();
        if (engine == null || !spreadable(engine)) {
            return null;
        }
        double most = EngineMemory.largestFraction(candidate, engine);
        double given = engine.memFractionStatic();
        double usable = candidate.cluster().gpu().usableGiB();
        if (given <= most) {
            return null;
        }
        return new Breach(
                String.format(
                        Locale.ROOT,
                        "mem-fraction-static %.3f leaves %.1f GiB; graphs, activations and draft need %.1f",
                        given,
                        (1 - given) * usable,
                        (1 - most) * usable),
                roomMend(engine, most),
                given <= most + TOLERATED_FRACTION);
    }

    private static String roomMend(EngineSide engine, double most) {
        String fraction = most <= 0
                ? ""
                : String.format(
                        Locale.ROOT,
                        "set rollout.layout.memFractionStatic to %.2f or less",
                        Math.floor(most * 100) / 100);
        String graphs = engine.cudaGraphMaxBatch() > 0
                ? "set rollout.layout.cudaGraphMaxBatch to a smaller batch, such as 64"
                : "set rollout.layout.cudaGraphMaxBatch, such as to 64: SGLang's own choice is %d"
                        .formatted(EngineMemory.defaultGraphBatch(engine));
        boolean graphsMatter = most <= 0 || engine.cudaGraphMaxBatch() == 0;
        return fraction.isEmpty() ? graphs : graphsMatter ? fraction + ", or " + graphs : fraction;
    }

    private static @Nullable Breach residueFits(Candidate candidate) {
        EngineSide engine = candidate.engine();
        if (engine == null || !candidate.cluster().colocated() || !spreadable(engine)) {
            return null;
        }
        EngineMemory memory = EngineMemory.of(candidate, engine);
        double beside = (memory.residue() + memory.draftWeights() + memory.draftCache()) / StageMemory.GIB;
        double usable = candidate.cluster().gpu().usableGiB();
        double most = 1 - beside / usable;
        return engine.memFractionStatic() <= most
                ? null
                : new Breach(
                        String.format(
                                Locale.ROOT,
                                "mem-fraction-static %.2f cannot be reached: %.1f GiB of the trainer and the draft lie beside it on each GPU",
                                engine.memFractionStatic(),
                                beside),
                        String.format(
                                Locale.ROOT,
                                "set rollout.layout.memFractionStatic to %.2f or less",
                                Math.floor(most * 100) / 100));
    }

    /** Whether the layout is one: its copies fill the GPUs (M01, M02) and its stages hold the layers (M08, M09). */
    private static boolean divisible(Candidate candidate) {
        Grid grid = Grid.of(candidate);
        return candidate.cluster().gpusPerNode() > 0
                && grid.modelFits()
                && grid.expertsFit()
                && PipelineStages.of(candidate.model().layers(), grid.layout()).isPresent();
    }

    /** Whether its sizes divide at all; other constraints say so where they do not. */
    private static boolean spreadable(EngineSide engine) {
        return engine.gpus() > 0
                && engine.ep() > 0
                && engine.pp() > 0
                && engine.dp() > 0
                && engine.tp() % engine.ep() == 0;
    }
}
