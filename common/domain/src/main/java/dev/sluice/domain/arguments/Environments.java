package dev.sluice.domain.arguments;

import dev.sluice.domain.candidate.Candidate;
import dev.sluice.domain.candidate.EngineSide;
import dev.sluice.domain.candidate.TrainingSide;
import dev.sluice.domain.candidate.TrainingSide.Layout;
import dev.sluice.domain.candidate.Version;
import dev.sluice.events.Problem;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * Environment variables of the programs that train and sample, sorted by name: what a candidate needs, joined with what the
 * request gives for its machines ({@code cluster.environment}), which wins where both name one.
 */
public final class Environments {
    private static final int BLACKWELL = 100;
    private static final String CONNECTIONS = "CUDA_DEVICE_MAX_CONNECTIONS";
    /** The older name, and the one that torch reads first from 2.9 on. */
    private static final List<String> ALLOCATOR = List.of("PYTORCH_CUDA_ALLOC_CONF", "PYTORCH_ALLOC_CONF");

    private static final String DISPATCH_TOKENS = "SGLANG_DEEPEP_NUM_MAX_DISPATCH_TOKENS_PER_RANK";

    private Environments() {}

    /** Of every process that trains. */
    public static SortedMap<String, String> training(Candidate candidate, Map<String, String> given) {
        TrainingSide side = candidate.training();
        SortedMap<String, String> environment = new TreeMap<>();
        if (oneConnection(candidate)) {
            environment.put(CONNECTIONS, "1");
        }
        // NCCL's own mapping costs memory in every group, and training has many groups.
        environment.put("NCCL_CUMEM_ENABLE", "0");
        // Scales of FP8 blocks as SGLang reads them: of the values, not rounded to powers of two.
        environment.put("NVTE_FP8_BLOCK_SCALING_FP32_SCALES", "1");
        if (candidate.cluster().colocated()) {
            wholeSegments(environment);
        }
        if (side.deepEp()) {
            environment.put("NVSHMEM_DISABLE_NCCL", "1");
        }
        if (side.flags().has("--deterministic-mode")) {
            environment.put("NCCL_ALGO", "Ring");
            environment.put("NVTE_ALLOW_NONDETERMINISTIC_ALGO", "0");
            environment.put("CUBLAS_WORKSPACE_CONFIG", ":4096:8");
        }
        given.forEach((name, value) -> {
            if (!name.startsWith("SGLANG_")) {
                environment.put(name, value);
            }
        });
        return Collections.unmodifiableSortedMap(environment);
    }

    /**
     * Whether kernels must start in the order in which they were queued: tensor and context parallelism overlap
     * communication that way on GPUs before Blackwell, and Megatron stops without it. Overlapped expert communication wants
     * more queues, which it gets where nothing needs the order.
     */
    private static boolean oneConnection(Candidate candidate) {
        boolean overlapped = candidate.training().flags().has("--overlap-moe-expert-parallel-comm");
        return beforeBlackwell(candidate) && (ordered(candidate) || !overlapped);
    }

    private static boolean beforeBlackwell(Candidate candidate) {
        return candidate.cluster().gpu().computeCapability() < BLACKWELL;
    }

    private static boolean ordered(Candidate candidate) {
        Layout layout = candidate.training().layout();
        return layout.tp() > 1 || layout.cp() > 1;
    }

    /** Of every process of an engine; empty where nothing is sampled. */
    public static SortedMap<String, String> engine(Candidate candidate, Map<String, String> given) {
        SortedMap<String, String> environment = new TreeMap<>();
        EngineSide engine = candidate.engine();
        if (engine == null) {
            return environment;
        }
        Version sglang = candidate.installed().sglang();
        kernels(engine, sglang, environment);
        if (candidate.cluster().colocated()) {
            shared(sglang, environment);
            wholeSegments(environment);
        }
        if (engine.a2aBackend().equals("deepep")) {
            environment.put("NVSHMEM_DISABLE_NCCL", "1");
            int tokens = batchTokens(engine);
            if (tokens > 1 && !engine.deepEpMode().equals("normal")) {
                // Buffers come in powers of two.
                environment.put(DISPATCH_TOKENS, Integer.toString(Integer.highestOneBit(tokens - 1) << 1));
            }
        }
        given.forEach((name, value) -> {
            if (!name.startsWith("NVTE_")) {
                environment.put(name, value);
            }
        });
        return Collections.unmodifiableSortedMap(environment);
    }

    private static void kernels(EngineSide engine, Version sglang, SortedMap<String, String> environment) {
        // Compiled when first used: all shapes at the start would take longer than the start may.
        String prefix = sglang.atLeast("0.5.3") ? "SGLANG" : "SGL";
        environment.put(prefix + "_JIT_DEEPGEMM_PRECOMPILE", "false");
        if (sglang.atLeast("0.5.9")) {
            environment.put("SGLANG_JIT_DEEPGEMM_FAST_WARMUP", "true");
        }
        if (sglang.atLeast("0.5.5")) {
            // Aborts leave the pool unsettled for a moment, and the check would end the engine for it.
            environment.put("SGLANG_ENABLE_STRICT_MEM_CHECK_DURING_IDLE", "false");
        }
        if (engine.flags().has("--enable-deterministic-inference") && sglang.atLeast("0.5.9")) {
            environment.put("SGLANG_BATCH_INVARIANT_OPS_ENABLE_MM_FALLBACK_VARIANT", "true");
        }
    }

    /** Whatever the services were started with: growing segments can neither be given away nor opened by another process. */
    private static void wholeSegments(SortedMap<String, String> environment) {
        ALLOCATOR.forEach(name -> environment.put(name, "expandable_segments:False"));
    }

    /** What trainers leave on the GPUs differs from GPU to GPU, which SGLang takes for another program's. */
    private static void shared(Version sglang, SortedMap<String, String> environment) {
        if (sglang.atLeast("0.5.7")) {
            environment.put("SGLANG_ENABLE_TP_MEMORY_INBALANCE_CHECK", "false");
        } else {
            String prefix = sglang.atLeast("0.5.3") ? "SGLANG" : "SGL";
            environment.put(prefix + "_DISABLE_TP_MEMORY_INBALANCE_CHECK", "true");
        }
        if (sglang.atLeast("0.5.4")) {
            environment.put("SGLANG_MEMORY_SAVER_CUDA_GRAPH", "true");
        }
    }

    /** Tokens that a rank sends to experts in one decoding step: those of its largest batch. */
    private static int batchTokens(EngineSide engine) {
        int drafts =
                engine.speculation().on() ? Math.max(1, engine.speculation().draftTokens()) : 1;
        return engine.cudaGraphMaxBatch() * drafts;
    }

    /** Given variables that are of no known name or that the candidate cannot run with. */
    public static List<Problem> problems(Candidate candidate, Map<String, String> given) {
        List<Problem> problems = new ArrayList<>(EnvironmentNames.problems(given));
        String connections = given.getOrDefault(CONNECTIONS, "1");
        if (ordered(candidate) && beforeBlackwell(candidate) && !connections.equals("1")) {
            problems.add(EnvironmentNames.problem(
                    CONNECTIONS,
                    "Megatron stops with %s queues instead of 1, since %s overlaps communication by their order"
                            .formatted(connections, candidate.training().layout()),
                    "remove it"));
        }
        for (String name : ALLOCATOR) {
            boolean growing = given.getOrDefault(name, "").contains("expandable_segments:True");
            if (candidate.cluster().colocated() && growing) {
                problems.add(EnvironmentNames.problem(
                        name,
                        "expandable segments cannot be given away, and colocated engines give their memory to the trainer",
                        "remove it, or set cluster.placement to disaggregated"));
            }
        }
        EngineSide engine = candidate.engine();
        if (engine != null && number(given.get(DISPATCH_TOKENS)) < batchTokens(engine)) {
            problems.add(EnvironmentNames.problem(
                    DISPATCH_TOKENS,
                    "%s tokens are fewer than the %d that a rank sends in one decoding step"
                            .formatted(given.get(DISPATCH_TOKENS), batchTokens(engine)),
                    "remove it: the planner sets what the batch needs"));
        }
        return List.copyOf(problems);
    }

    /** What is given as a number; without bound where nothing or something else is given. */
    private static long number(@Nullable String given) {
        return given != null && given.matches("\\d{1,9}") ? Long.parseLong(given) : Long.MAX_VALUE;
    }
}
