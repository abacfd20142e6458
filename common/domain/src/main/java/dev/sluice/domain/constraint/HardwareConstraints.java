package dev.sluice.domain.constraint;

import dev.sluice.domain.candidate.Candidate;
import dev.sluice.domain.candidate.Cluster;
import dev.sluice.domain.candidate.EngineSide;
import dev.sluice.domain.candidate.Gpu;
import dev.sluice.domain.candidate.TrainingSide.Layout;
import dev.sluice.domain.constraint.Constraint.Breach;
import dev.sluice.domain.constraint.Constraint.Severity;
import dev.sluice.domain.memory.DiskSpace;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** What the machines can do. Whether everything fits their memory is judged elsewhere (H01 to H06). */
final class HardwareConstraints {
    private static final double GIB = 1L << 30;

    /** Bytes of a parameter in bf16: in the checkpoint that a run starts from, and again in each save. */

    /** Bytes of a parameter's Adam state in a save: fp32 master, both moments. */
    static final List<Constraint> ALL = List.of(
            new Constraint(
                    "H07",
                    Severity.ERROR,
                    "cluster.gpu",
                    "the GPU has what is used: FP8 needs compute capability 8.9, DeepEP 9.0, FA3 Hopper",
                    "NVIDIA's data sheets; DeepEP's README; SGLang arg_groups/overrides.py",
                    HardwareConstraints::features),
            new Constraint(
                    "H08",
                    Severity.WARNING,
                    "cluster.rdma",
                    "experts that are spread over nodes are reached by RDMA",
                    "DeepEP's README",
                    HardwareConstraints::network),
            new Constraint(
                    "H09",
                    Severity.WARNING,
                    "cluster.diskGiB",
                    "the disk holds the model and one save: weights and Adam's state",
                    "planner: 2 bytes a parameter, 14 in a save",
                    HardwareConstraints::disk));

    /** Compute capabilities, times ten, that have something; {@code to} is not among them. */
    private record Range(String name, int from, int to) {
        boolean has(Gpu gpu) {
            return gpu.computeCapability() >= from && gpu.computeCapability() < to;
        }
    }

    private static final int ANY = Integer.MAX_VALUE;
    private static final Range ADA = new Range("Ada (compute capability 8.9) or newer", 89, ANY);
    private static final Range HOPPER_ON = new Range("Hopper (9.0) or newer", 90, ANY);
    private static final Range HOPPER = new Range("Hopper (9.0)", 90, 100);
    private static final Range BLACKWELL = new Range("Blackwell (10.0) or newer", 100, ANY);

    private static final Map<String, Range> BACKENDS = Map.of(
            "fa3",
            HOPPER,
            "flashmla",
            HOPPER_ON,
            "trtllm_mla",
            BLACKWELL,
            "trtllm_mha",
            BLACKWELL,
            "cutlass_mla",
            BLACKWELL);

    private HardwareConstraints() {}

    /** Something that a candidate uses, and the GPUs that have it. */
    private record Need(String feature, Range range, String instead) {}

    private static @Nullable Breach features(Candidate candidate) {
        Gpu gpu = candidate.cluster().gpu();
        List<Need> missing = new ArrayList<>();
        for (Need need : needs(candidate)) {
            if (!need.range().has(gpu)) {
                missing.add(need);
            }
        }
        if (missing.isEmpty()) {
            return null;
        }
        List<String> wanted = missing.stream()
                .map(need -> need.feature() + " needs " + need.range().name())
                .toList();
        return new Breach(
                "%s, %s is %.1f".formatted(String.join("; ", wanted), gpu.label(), gpu.computeCapability() / 10.0),
                String.join("; ", missing.stream().map(Need::instead).toList()) + "; or use other GPUs");
    }

    private static List<Need> needs(Candidate candidate) {
        List<Need> needs = new ArrayList<>();
        // DeepEP in training is M31's.
        if (candidate.training().flags().has("--fp8-format")) {
            needs.add(new Need("FP8 training", ADA, "remove training.megatron.fp8-format [--fp8-format]"));
        }
        EngineSide engine = candidate.engine();
        if (engine != null) {
            addNeeds(engine, needs);
        }
        return needs;
    }

    private static void addNeeds(EngineSide engine, List<Need> needs) {
        if (engine.a2aBackend().equals("deepep")) {
            needs.add(new Need("DeepEP", HOPPER_ON, "set rollout.layout.a2aBackend to none [--moe-a2a-backend]"));
        }
        if (oneByte(engine.weightBytes())) {
            needs.add(new Need(
                    "weights in FP8", ADA, "let engines start from bf16 weights: leave model.rolloutPath out"));
        }
        if (oneByte(engine.kvBytes())) {
            needs.add(new Need("a KV cache in FP8", ADA, "leave rollout.layout.kvCacheDtype out [--kv-cache-dtype]"));
        }
        String backend = engine.flags().text("--attention-backend", "");
        Range range = BACKENDS.get(backend);
        if (range != null) {
            needs.add(new Need(
                    "attention backend " + backend,
                    range,
                    "leave rollout.sglang.attention-backend out [--attention-backend]"));
        }
    }

    private static boolean oneByte(double bytes) {
        return bytes > 0.9 && bytes < 1.2;
    }

    private static @Nullable Breach network(Candidate candidate) {
        Cluster cluster = candidate.cluster();
        if (cluster.rdma() || cluster.gpusPerNode() < 1 || candidate.model().experts() == null) {
            return null;
        }
        Layout layout = candidate.training().layout();
        int training = nodes(layout.ep(), (long) layout.ep() * layout.etp(), cluster);
        EngineSide engine = candidate.engine();
        EngineRanks ranks = engine == null ? null : EngineRanks.of(engine);
        int sampling = ranks == null ? 1 : nodes(ranks.ep(), ranks.tp(), cluster);
        if (training <= 1 && sampling <= 1) {
            return null;
        }
        boolean trains = training > 1;
        return new Breach(
                "EP %d of %s spans %d nodes without RDMA: exchange between experts will take most of the time"
                        .formatted(
                                trains || ranks == null ? layout.ep() : ranks.ep(),
                                trains ? "training" : "an engine",
                                trains ? training : sampling),
                "set %s to at most %d, or cluster.rdma to true where the nodes have it"
                        .formatted(
                                trains ? "training.layout.ep" : "rollout.layout.gpusPerEngine", cluster.gpusPerNode()));
    }

    private static int nodes(int ep, long gpus, Cluster cluster) {
        return ep <= 1 ? 1 : (int) Math.ceilDiv(gpus, cluster.gpusPerNode());
    }

    private static @Nullable Breach disk(Candidate candidate) {
        int disk = candidate.cluster().diskGiB();
        if (disk <= 0) {
            return null;
        }
        DiskSpace space = DiskSpace.of(candidate);
        double model = space.converted() / GIB;
        double save = space.cut() / GIB;
        if (model + save <= disk) {
            return null;
        }
        return new Breach(
                "each save writes %.0f GiB beside the model's %.0f GiB, the disk has %d GiB"
                        .formatted(save, model, disk),
                "give the disk %.0f GiB and %.0f GiB for each further cut of checkpoints.keepLast"
                        .formatted(Math.ceil(model + save), Math.ceil(save)));
    }
}
