package dev.sluice.domain.constraint;

import static dev.sluice.domain.constraint.EngineCheck.engine;
import static dev.sluice.domain.constraint.EngineCheck.ranks;

import dev.sluice.domain.candidate.Candidate;
import dev.sluice.domain.candidate.EngineSide;
import dev.sluice.domain.constraint.Constraint.Breach;
import dev.sluice.domain.constraint.Constraint.Severity;
import dev.sluice.domain.memory.EngineMemory;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Batches of decoding: captured graphs, and what DeepEP's buffers hold of them. */
final class DecodingConstraints {
    private static final String DEEPEP_TOKENS = "SGLANG_DEEPEP_NUM_MAX_DISPATCH_TOKENS_PER_RANK";

    /** Where the variable is not set: SGLang environ.py. */
    private static final int DEEPEP_TOKENS_DEFAULT = 128;

    static final List<Constraint> ALL = List.of(
            new Constraint(
                    "S13",
                    Severity.WARNING,
                    "rollout.sglang.deepep-mode",
                    "DeepEP's normal mode is not used for decoding: it captures no graphs",
                    "SGLang server_args.py _handle_a2a_moe",
                    engine(DecodingConstraints::normalMode)),
            new Constraint(
                    "S22",
                    Severity.WARNING,
                    "rollout.layout.cudaGraphMaxBatch",
                    "the largest graph holds a rank's samples (max running requests / dp)",
                    "slime's scripts of GLM-4.7-Flash, GLM-4.7 and GLM-5",
                    ranks(DecodingConstraints::graph)),
            new Constraint(
                    "S23",
                    Severity.ERROR,
                    "cluster.environment",
                    "DeepEP's low-latency buffers hold what a rank sends of the largest decoding batch",
                    "slime run-glm5-744B-A40B.sh, run-glm5.2-744B-A40B.sh; SGLang token_dispatcher/deepep.py",
                    ranks(DecodingConstraints::dispatchBuffers)));

    private DecodingConstraints() {}

    private static boolean graphsOff(EngineSide engine) {
        return engine.flags().has("--disable-cuda-graph")
                || engine.flags().text("--cuda-graph-backend-decode", "").equals("disabled");
    }

    private static int largestGraph(EngineSide engine) {
        return engine.cudaGraphMaxBatch() > 0 ? engine.cudaGraphMaxBatch() : EngineMemory.defaultGraphBatch(engine);
    }

    private static @Nullable Breach normalMode(EngineSide engine, Candidate candidate) {
        if (!engine.a2aBackend().equals("deepep") || !engine.deepEpMode().equals("normal")) {
            return null;
        }
        return new Breach(
                "DeepEP's normal mode switches graphs off, so each decoding step is launched kernel by kernel",
                "set rollout.sglang.deepep-mode to auto or low_latency [--deepep-mode]");
    }

    private static @Nullable Breach graph(EngineRanks ranks, EngineSide engine, Candidate candidate) {
        if (engine.maxRunningRequests() < 1 || !ranks.attentionSplits() || graphsOff(engine)) {
            return null;
        }
        int samples = Math.ceilDiv(engine.maxRunningRequests(), ranks.dp());
        int largest = largestGraph(engine);
        if (largest >= samples) {
            return null;
        }
        return new Breach(
                "a rank runs up to %d samples (%d / dp %d) and graphs are captured up to %d: larger batches run without"
                        .formatted(samples, engine.maxRunningRequests(), ranks.dp(), largest),
                "set rollout.layout.cudaGraphMaxBatch to %d [--cuda-graph-max-bs]".formatted(samples));
    }

    /**
     * Before the experts, a batch is scattered over the GPUs of its attention group (SGLang layers/communicator.py), so a
     * rank sends its share of it. Only a script is judged: of a request the planner writes the variable itself.
     */
    private static @Nullable Breach dispatchBuffers(EngineRanks ranks, EngineSide engine, Candidate candidate) {
        if (!Given.script(candidate)
                || !engine.a2aBackend().equals("deepep")
                || engine.deepEpMode().equals("normal")
                || !ranks.attentionSplits()
                || graphsOff(engine)) {
            return null;
        }
        int batch = largestGraph(engine);
        int drafts =
                engine.speculation().on() ? Math.max(1, engine.speculation().draftTokens()) : 1;
        long sent = Math.ceilDiv((long) batch * drafts, ranks.attentionTp());
        double held = candidate.workload().slime().number(DEEPEP_TOKENS, DEEPEP_TOKENS_DEFAULT);
        if (held >= sent) {
            return null;
        }
        long power = Long.highestOneBit(sent) == sent ? sent : Long.highestOneBit(sent) << 1;
        return new Breach(
                "decoding batches of %d with %d tokens each send %d tokens a rank, DeepEP's buffers hold %.0f"
                        .formatted(batch, drafts, sent, held),
                "set cluster.environment %s to %d".formatted(DEEPEP_TOKENS, power));
    }
}
