package dev.sluice.domain.constraint;

import dev.sluice.domain.candidate.Candidate;
import dev.sluice.domain.candidate.Cluster;
import dev.sluice.domain.candidate.EngineSide;
import dev.sluice.domain.candidate.EngineSide.Speculation;
import dev.sluice.domain.candidate.Flags;
import dev.sluice.domain.candidate.Gpu;
import dev.sluice.domain.candidate.Installed;
import dev.sluice.domain.candidate.TrainingSide;
import dev.sluice.domain.candidate.TrainingSide.Dispatcher;
import dev.sluice.domain.candidate.TrainingSide.Layout;
import dev.sluice.domain.candidate.TrainingSide.Optimizer;
import dev.sluice.domain.candidate.TrainingSide.Recompute;
import dev.sluice.domain.candidate.Version;
import dev.sluice.domain.candidate.Workload;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Candidates for tests: layouts of slime's scripts and pages, which break no constraint at all, and drafts to change them.
 * Requests are as Sluice's planner judges them, without a flag of slime's; scripts have the flags that it writes itself.
 */
public final class Candidates {
    private static final String SLIME = "slime@2026-08-21";
    private static final String SLUICE = "sluice@0.1";

    private Candidates() {}

    /** Every candidate here, by its method's name. */
    static Map<String, Candidate> all() {
        Map<String, Candidate> all = new LinkedHashMap<>();
        all.put("glm47Flash", glm47Flash());
        all.put("script", script());
        all.put("twoNodes", twoNodes());
        all.put("glmApart", glmApart(16).build());
        all.put("qwen3_4b", qwen3_4b());
        all.put("qwen3_30b", qwen3_30b());
        all.put("qwen3Next", qwen3Next());
        all.put("qwen35", qwen35());
        all.put("glm52", glm52());
        return all;
    }

    /**
     * GLM-4.7-Flash on eight colocated H100: one engine of 8 GPUs with EAGLE, training over EP 8 with Adam on the CPU.
     *
     * @see <a href="https://github.com/THUDM/slime/blob/main/docs/en/examples/glm4.7-flash.md">slime's recipe</a>
     */
    public static Candidate glm47Flash() {
        return new Candidate(
                TestModels.GLM_47_FLASH,
                new Cluster(Gpu.H100_80, 8, 8, 8, true, 2048, 8192, true, List.of("/shared")),
                new Installed(new Version("0.5.15.post1"), new Version("0.19.1"), SLUICE),
                grpo(32, 8, 8192),
                new TrainingSide(
                        new Layout(1, 1, 1, 8, 1, null, null),
                        8192,
                        false,
                        Recompute.FULL,
                        Optimizer.CPU,
                        Dispatcher.ALLTOALL,
                        false,
                        false,
                        Flags.NONE),
                engine(8, 8, true, 256, Speculation.eagle(2)));
    }

    /** {@link #glm47Flash()}, to be changed. */
    public static CandidateDraft glm() {
        return draft(glm47Flash());
    }

    /** GLM-4.7-Flash that trains on one node and samples with one engine over so many other GPUs. */
    public static CandidateDraft glmApart(int engineGpus) {
        return glm().colocated(false).rolloutGpus(engineGpus).engine(engine -> {
            engine.gpus = engineGpus;
            engine.ep = engineGpus;
            engine.groups(engineGpus);
        });
    }

    /** GLM-4.7-Flash on two nodes of eight: TP 4, PP 2 with 23 layers in the last stage, CP 2, EP 8; two engines. */
    public static Candidate twoNodes() {
        return glm().gpus(16)
                .layout(4, 2, 2, 8, 1)
                .stages(null, 23)
                .tokensPerGpu(32_768)
                .build();
    }

    /** Qwen3-4B, dense with grouped queries, on eight colocated H100: TP 2, four engines of 2 GPUs (run-qwen3-4B.sh). */
    public static Candidate qwen3_4b() {
        return glm().model(TestModels.QWEN3_4B)
                .layout(2, 1, 1, 1, 1)
                .tokensPerGpu(9216)
                .optimizer(Optimizer.GPU)
                .engine(2, 64)
                .build();
    }

    /** Qwen3-30B-A3B, experts with grouped queries, on eight colocated H100: TP 4, EP 8 (run-qwen3-30B-A3B.sh). */
    public static Candidate qwen3_30b() {
        return glm().model(TestModels.QWEN3_30B)
                .layout(4, 1, 1, 8, 1)
                .tokensPerGpu(20_480)
                .engine(8, 256)
                .build();
    }

    /**
     * Qwen3-Next on four nodes, three of four layers linear: TP 2, PP 4, CP 2, EP 8, engines of 8 GPUs with EAGLE
     * (run-qwen3-next-80B-A3B.sh).
     */
    public static Candidate qwen3Next() {
        return glm().model(TestModels.QWEN3_NEXT)
                .trainer(SLIME)
                .gpus(32)
                .layout(2, 4, 2, 8, 1)
                .engine(8, 64)
                .engine(engine -> {
                    engine.ep = 8;
                    engine.speculation = Speculation.eagle(3);
                })
                .build();
    }

    /** Qwen3.5-9B, dense, three of four layers linear, on eight colocated H200: TP 2, an engine on each GPU with EAGLE. */
    public static Candidate qwen35() {
        return glm().model(TestModels.QWEN35_9B)
                .trainer(SLIME)
                .gpu(Gpu.H200_141)
                .layout(2, 1, 1, 1, 1)
                .optimizer(Optimizer.GPU)
                .engine(1, 32)
                .engine(engine -> engine.speculation = Speculation.eagle(2))
                .build();
    }

    /**
     * GLM-5.2 on 32 nodes: TP 4, PP 8 with 14 and 16 layers at the ends, CP 8, EP 32; engines of 64 GPUs in fp8 with
     * DeepEP (run-glm5.2-744B-A40B.sh, whose share of memory is 0.70).
     */
    public static Candidate glm52() {
        return asScript(glm().model(TestModels.GLM_52)
                        .gpus(256)
                        .layout(4, 8, 8, 32, 1)
                        .stages(14, 16)
                        .diskGiB(16_384)
                        .engine(64, 512)
                        .engine(engine -> {
                            engine.ep = 64;
                            engine.page = 64;
                            engine.a2a = "deepep";
                            engine.weightBytes = 1.01;
                            engine.kvBytes = 1;
                            engine.speculation = Speculation.eagle(4);
                            engine.fraction = 0.68;
                        }))
                .slime("--update-weight-buffer-size", 4L << 30)
                .build();
    }

    /** {@link #glm47Flash()} as slime's script writes it. */
    public static Candidate script() {
        return asScript(glm()).build();
    }

    /** With the flags that slime's scripts give and Sluice's planner writes itself. */
    static CandidateDraft asScript(CandidateDraft draft) {
        return draft.trainer(SLIME)
                .slime("--num-rollout", 3000)
                .slime("--use-dynamic-batch-size")
                .slime("--advantage-estimator", "grpo")
                .slime("--use-kl-loss")
                .slime("--kl-loss-coef", "0.00")
                .slime("--ref-load", "/shared/GLM-4.7-Flash_torch_dist")
                .slime("--eval-interval", 20)
                .slime("--eval-prompt-data", "aime", "/shared/aime-2024.jsonl")
                .slime("--train-env-vars", "{\"CUDA_DEVICE_MAX_CONNECTIONS\": \"1\"}")
                .megatron("--save", "/shared/GLM-4.7-Flash_slime")
                .megatron("--save-interval", 20)
                .megatron("--recompute-method", "uniform")
                .megatron("--recompute-num-layers", 1)
                .megatron("--moe-grouped-gemm")
                .megatron("--moe-router-dtype", "fp32")
                .megatron("--moe-router-score-function", "sigmoid")
                .megatron("--moe-router-pre-softmax")
                .megatron("--moe-router-enable-expert-bias")
                .megatron("--optimizer", "adam");
    }

    public static CandidateDraft draft(Candidate from) {
        return new CandidateDraft(from);
    }

    /** GRPO with so many groups of so many samples, whose responses have at most so many tokens; one batch a step. */
    public static Workload grpo(int groups, int samples, int maxResponseTokens) {
        return new Workload(
                groups,
                samples,
                groups * samples,
                0,
                0,
                0,
                maxResponseTokens,
                maxResponseTokens / 2,
                0,
                1,
                0,
                false,
                true,
                false,
                true,
                List.of(),
                Flags.NONE);
    }

    /** An engine of bf16 weights and KV cache. */
    public static EngineSide engine(
            int gpus, int dp, boolean dpAttention, int maxRunningRequests, Speculation speculation) {
        return new EngineSide(
                gpus,
                1,
                dp,
                dpAttention,
                dpAttention,
                1,
                0,
                0.7,
                Math.max(1, maxRunningRequests / dp),
                maxRunningRequests,
                8192,
                1,
                dpAttention ? 1 : 0,
                "none",
                "auto",
                null,
                false,
                speculation,
                2,
                2,
                Flags.NONE);
    }
}
