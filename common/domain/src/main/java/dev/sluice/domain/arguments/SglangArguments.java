package dev.sluice.domain.arguments;

import dev.sluice.domain.candidate.Candidate;
import dev.sluice.domain.candidate.EngineSide;
import dev.sluice.domain.candidate.EngineSide.Speculation;
import dev.sluice.domain.candidate.Flags;
import dev.sluice.domain.candidate.Gpu;
import dev.sluice.domain.candidate.Version;
import java.util.Objects;
import java.util.Set;

/**
 * Flags of {@code sglang.launch_server} for a candidate's engine, spelled for the declared version. Model path, host, ports,
 * {@code --node-rank} and {@code --dist-init-addr} are left to the instance that launches: they differ by instance.
 */
public final class SglangArguments {
    /** All-to-all backends that make SGLang set the expert parallel size to the tensor parallel size. */
    private static final Set<String> EXPERTS_OVER_ALL_RANKS =
            Set.of("deepep", "deepep_v2", "mooncake", "nixl", "mori", "flashinfer", "megamoe");

    /** Page size that sparse attention's kernels are written for, tokens. */
    private static final int SPARSE_ATTENTION_PAGE = 64;

    private final Candidate candidate;
    private final EngineSide engine;
    private final FlagWriter list = new FlagWriter();

    private SglangArguments(Candidate candidate) {
        this.candidate = candidate;
        this.engine = Objects.requireNonNull(candidate.engine(), "a candidate that samples nothing has no engine");
    }

    /**
     * The whole list, further flags last.
     *
     * @param contextTokens longest sequence of rollout and evaluation, prompt and response together; 0 for the model's
     *     own context
     * @param seed the request's seed
     */
    public static Flags of(Candidate candidate, int contextTokens, long seed) {
        SglangArguments arguments = new SglangArguments(candidate);
        arguments.layout();
        arguments.experts();
        arguments.memory(contextTokens);
        arguments.speculation();
        arguments.attention();
        arguments.sharing();
        arguments.serving(seed);
        return new FlagMerge(SglangFlags.TABLE, candidate.installed().sglang())
                .join(arguments.list.flags(), arguments.engine.flags());
    }

    private void layout() {
        list.value("--tp-size", engine.tp());
        if (engine.pp() > 1) {
            list.value("--pp-size", engine.pp());
        }
        if (engine.dp() > 1) {
            list.value("--dp-size", engine.dp());
            // Without it SGLang would start as many whole copies of the model.
            list.flag("--enable-dp-attention");
            list.flag("--enable-dp-lm-head", engine.dpLmHead());
        }
        int nodes = Math.ceilDiv(engine.gpus(), candidate.cluster().gpusPerNode());
        if (nodes > 1) {
            list.value("--nnodes", nodes);
        }
    }

    private void experts() {
        int ep = EXPERTS_OVER_ALL_RANKS.contains(engine.a2aBackend()) ? engine.tp() : engine.ep();
        if (ep > 1) {
            list.value("--ep-size", ep);
            // Up to 0.5.2 the size alone splits nothing.
            list.flag("--enable-ep-moe", !sglang().atLeast("0.5.3") && !engine.allToAll());
        }
        list.positive("--moe-dense-tp-size", engine.moeDenseTp());
        list.positive("--ep-num-redundant-experts", engine.redundantExperts());
        if (engine.allToAll()) {
            list.value("--moe-a2a-backend", engine.a2aBackend());
            if (engine.a2aBackend().equals("deepep")) {
                list.value("--deepep-mode", engine.deepEpMode());
                list.flag("--enable-deepep-moe", !sglang().atLeast("0.4.10"));
            }
        }
        if (engine.dispatchAlgorithm() != null) {
            list.value("--ep-dispatch-algorithm", engine.dispatchAlgorithm());
        }
        list.flag("--enable-eplb", engine.expertBalancing());
    }

    private void memory(int contextTokens) {
        list.value("--mem-fraction-static", engine.memFractionStatic());
        list.positive("--cuda-graph-max-bs", engine.cudaGraphMaxBatch());
        list.positive("--max-running-requests", maxRunningRequests());
        int chunk = engine.chunkedPrefillTokens();
        if (chunk != defaultChunk(candidate.cluster().gpu())) {
            list.positive("--chunked-prefill-size", chunk);
        }
        boolean paged = engine.pageTokens() > 1 || candidate.model().indexer() != null;
        if (paged) {
            list.value("--page-size", engine.pageTokens() > 1 ? engine.pageTokens() : SPARSE_ATTENTION_PAGE);
        }
        list.positive("--context-length", contextTokens);
        if (engine.kvBytes() == 1) {
            list.value("--kv-cache-dtype", "fp8_e4m3");
        }
    }

    /** With speculation SGLang would take 48 where this is absent. */
    private int maxRunningRequests() {
        if (engine.maxRunningRequests() > 0 || !engine.speculation().on()) {
            return engine.maxRunningRequests();
        }
        return engine.cudaGraphMaxBatch() * Math.max(1, engine.dp());
    }

    /** SGLang's own choice, tokens: by the memory of the GPU. */
    private static int defaultChunk(Gpu gpu) {
        return gpu.usableGiB() < 60 ? 4096 : gpu.usableGiB() < 160 ? 8192 : 16_384;
    }

    private void speculation() {
        Speculation speculation = engine.speculation();
        if (!speculation.on()) {
            return;
        }
        list.value("--speculative-algorithm", speculation.algorithm());
        if (speculation.draftPath() != null) {
            list.value("--speculative-draft-model-path", speculation.draftPath());
        }
        if (speculation.steps() > 0) {
            list.value("--speculative-num-steps", speculation.steps());
            list.value("--speculative-eagle-topk", Math.max(1, speculation.topK()));
            list.value("--speculative-num-draft-tokens", draftTokens(speculation));
        }
    }

    /**
     * Tokens of one verification. With one branch the drafts are a chain: one token a step and the verified one, whatever
     * else is asked for.
     */
    static int draftTokens(Speculation speculation) {
        if (!speculation.on()) {
            return 1;
        }
        boolean chain = speculation.topK() <= 1 || speculation.draftTokens() == 0;
        return chain ? speculation.steps() + 1 : speculation.draftTokens();
    }

    private void attention() {
        if (candidate.model().indexer() != null) {
            list.value("--attention-backend", sglang().atLeast("0.5.13") ? "dsa" : "nsa");
        }
        if (candidate.model().linearAttention() != null && engine.speculation().on()) {
            // Rejected drafts must leave the recurrent state as it was.
            list.value("--mamba-radix-cache-strategy", "extra_buffer");
        }
    }

    /** What lets training have the GPUs between two phases of sampling. */
    private void sharing() {
        if (!candidate.cluster().colocated()) {
            return;
        }
        list.flag("--enable-memory-saver");
        // A draft that is not trained is in no published version: memory given away would lose it.
        list.flag("--enable-draft-weights-cpu-backup", engine.speculation().drafts());
        // Graphs of prefill keep addresses that the memory saver takes away.
        if (sglang().atLeast("0.5.14")) {
            list.value("--cuda-graph-backend-prefill", "disabled");
        } else {
            list.flag("--disable-piecewise-cuda-graph");
        }
    }

    private void serving(long seed) {
        list.flag("--trust-remote-code");
        list.flag("--skip-server-warmup");
        list.flag("--enable-metrics");
        list.value("--random-seed", Math.floorMod(seed, Integer.MAX_VALUE));
    }

    private Version sglang() {
        return candidate.installed().sglang();
    }
}
