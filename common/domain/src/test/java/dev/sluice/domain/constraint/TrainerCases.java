package dev.sluice.domain.constraint;

import static dev.sluice.domain.constraint.Candidates.draft;
import static dev.sluice.domain.constraint.Candidates.glm;
import static dev.sluice.domain.constraint.Candidates.glm47Flash;
import static dev.sluice.domain.constraint.Candidates.qwen3Next;
import static dev.sluice.domain.constraint.Candidates.qwen3_30b;
import static dev.sluice.domain.constraint.Candidates.qwen3_4b;
import static dev.sluice.domain.constraint.Candidates.script;
import static dev.sluice.domain.constraint.Candidates.twoNodes;
import static dev.sluice.domain.constraint.RuleCase.breaks;
import static dev.sluice.domain.constraint.RuleCase.keeps;

import dev.sluice.domain.candidate.Gpu;
import dev.sluice.domain.candidate.TrainingSide.Dispatcher;
import dev.sluice.domain.candidate.TrainingSide.Optimizer;
import dev.sluice.domain.candidate.TrainingSide.Recompute;
import dev.sluice.domain.model.ModelSpec.Experts;
import java.util.List;

/** The trainer's options: optimizer, recomputation, experts, MTP, model arguments, determinism. */
final class TrainerCases {
    private static final String MODULES = "--recompute-modules";
    private static final String OVERLAP = "--overlap-moe-expert-parallel-comm";
    private static final String SHARED_OVERLAP = "--moe-shared-expert-overlap";
    private static final String DETERMINISTIC = "--deterministic-mode";
    private static final String ENVIRONMENT = "--train-env-vars";
    private static final Optimizer CPU_UNAWARE = new Optimizer(0.5, false);

    private TrainerCases() {}

    static final List<RuleCase> OPTIMIZER = List.of(
            keeps("M17", "precision-aware Adam on the CPU", glm47Flash()),
            breaks("M17", "half of plain Adam on the CPU", glm().optimizer(CPU_UNAWARE), "50 % of Adam's state"),
            keeps("M18", "precision-aware Adam", draft(script()).megatron("--optimizer", "adam")),
            keeps("M18", "plain SGD", draft(qwen3_4b()).megatron("--optimizer", "sgd")),
            breaks("M18", "precision-aware SGD", glm().megatron("--optimizer", "sgd"), "--optimizer is sgd"),
            breaks("M18", "precision-aware FSDP", glm().megatron("--use-torch-fsdp2"), "--use-torch-fsdp2"),
            keeps("M19", "bf16 moments of precision-aware Adam", glm().megatron("--exp-avg-dtype", "bf16")),
            keeps("M19", "fp32 moments of plain Adam", draft(qwen3_4b()).megatron("--exp-avg-dtype", "fp32")),
            breaks(
                    "M19",
                    "bf16 moments of plain Adam",
                    draft(qwen3_4b()).megatron("--exp-avg-dtype", "bf16").megatron("--main-grads-dtype", "bf16"),
                    "--main-grads-dtype bf16, --exp-avg-dtype bf16: below fp32"),
            keeps("M20", "delayed scaling", glm().megatron("--fp8-param-gather")),
            keeps("M20", "Adam on the GPU", fp8().gpus(16).optimizer(Optimizer.PRECISION_AWARE)),
            breaks("M20", "block scaling and Adam on the CPU", fp8(), "--fp8-recipe blockwise"),
            keeps(
                    "M21",
                    "both overlaps",
                    glm().megatron("--overlap-param-gather").megatron("--overlap-grad-reduce")),
            breaks("M21", "one overlap", glm().megatron("--overlap-param-gather"), "only together with"),
            breaks(
                    "M21",
                    "overlaps of FSDP",
                    draft(qwen3_4b())
                            .megatron("--overlap-param-gather")
                            .megatron("--overlap-grad-reduce")
                            .megatron("--use-torch-fsdp2"),
                    "needs the distributed optimizer"));

    static final List<RuleCase> RECOMPUTE = List.of(
            keeps("M22", "full recomputation of a request", glm47Flash()),
            keeps("M22", "full recomputation of a script", script()),
            keeps("M22", "selective recomputation", brief(glm()).recompute(Recompute.SELECTIVE)),
            breaks(
                    "M22",
                    "a script without a method",
                    draft(script()).withoutMegatron("--recompute-method"),
                    "it has none over 1"),
            breaks(
                    "M22",
                    "48 of 47 layers",
                    glm().megatron("--recompute-num-layers", 48),
                    "uniform or block, and 1 to 47 layers; it has uniform over 48"),
            breaks("M22", "an unknown method", glm().megatron("--recompute-method", "some"), "it has some over 1"),
            breaks(
                    "M22",
                    "selective with a method",
                    brief(glm()).recompute(Recompute.SELECTIVE).megatron("--recompute-method", "uniform"),
                    "takes neither"),
            keeps("M23", "modules of this model", selective("core_attn", "moe_act", "mla_up_proj", "shared_experts")),
            keeps("M23", "modules that nothing recomputes", glm().megatron(MODULES, "no_such")),
            keeps(
                    "M23",
                    "norms of linear layers",
                    brief(draft(qwen3Next())).recompute(Recompute.SELECTIVE).megatron(MODULES, "gdn_norm_out")),
            breaks("M23", "a module with a slip", selective("core_attn", "moe_atc"), "did you mean moe_act?"),
            breaks(
                    "M23",
                    "norms of linear layers before Megatron 0.19",
                    brief(draft(qwen3Next()))
                            .megatronVersion("0.18.2")
                            .recompute(Recompute.SELECTIVE)
                            .megatron(MODULES, "gdn_norm_out"),
                    "gdn_norm_out cannot be computed again"),
            breaks(
                    "M23",
                    "norms of linear layers in a model that has none",
                    selective("gdn_norm_out"),
                    "no layer is linear"),
            breaks(
                    "M23",
                    "experts of a dense model",
                    brief(draft(qwen3_4b())).recompute(Recompute.SELECTIVE).megatron(MODULES, "moe_act"),
                    "the model has no experts"),
            breaks(
                    "M23",
                    "latent attention of a model without it",
                    brief(draft(qwen3_30b())).recompute(Recompute.SELECTIVE).megatron(MODULES, "mla_up_proj"),
                    "no latent attention"),
            breaks(
                    "M23",
                    "experts in a script without grouped products",
                    selectiveScript("moe_act").withoutMegatron("--moe-grouped-gemm"),
                    "without --moe-grouped-gemm"),
            breaks(
                    "M23",
                    "shared experts that overlap",
                    selective("shared_experts").megatron(SHARED_OVERLAP),
                    "runs shared experts beside"),
            keeps(
                    "M24",
                    "spread over TP 2",
                    draft(qwen3_4b()).sequenceParallel(false).megatron("--distribute-saved-activations")),
            breaks("M24", "spread over TP 1", spread(), "TP is 1"),
            breaks("M24", "spread by sequence parallelism too", spread().tp(2), "spreads them already"),
            breaks(
                    "M24",
                    "nothing recomputed",
                    brief(spread()).tp(2).recompute(Recompute.NONE),
                    "recomputation is not full"),
            keeps("M25", "one stage, nothing recomputed", brief(offloading()).recompute(Recompute.NONE)),
            breaks("M25", "full recomputation", offloading(), "while activations are recomputed"),
            breaks(
                    "M25",
                    "two stages",
                    brief(draft(twoNodes())).recompute(Recompute.NONE).megatron("--cpu-offloading-num-layers", 4),
                    "cannot go to host memory with PP 2"));

    static final List<RuleCase> EXPERTS = List.of(
            keeps("M27", "sigmoid scores", script()),
            keeps("M27", "sigmoid scores of the model", glm47Flash()),
            keeps("M27", "softplus scores", glm().megatron("--moe-router-score-function", "sqrtsoftplus")),
            breaks(
                    "M27",
                    "a script with a bias and Megatron's softmax",
                    draft(script()).withoutMegatron("--moe-router-score-function"),
                    "scores are softmax"),
            breaks(
                    "M27",
                    "softplus scores before Megatron 0.18",
                    glm().megatron("--moe-router-score-function", "sqrtsoftplus")
                            .megatronVersion("0.17.1"),
                    "scores are sqrtsoftplus"),
            keeps("M28", "8 experts a token", qwen3_30b()),
            keeps("M28", "1 expert a token, softmax first", oneExpert().megatron("--moe-router-pre-softmax")),
            breaks("M28", "1 expert a token", oneExpert(), "a token takes 1 expert"),
            keeps("M29", "no groups", glm47Flash()),
            keeps("M29", "4 of 8 groups of 256 experts", groups(256, 8, 4)),
            breaks(
                    "M29",
                    "9 of 8 groups",
                    groups(256, 8, 9),
                    "256 experts do not divide into 8 groups, of which a token uses 9"),
            breaks("M29", "12 groups of 256 experts", groups(256, 12, 4), "do not divide into 12 groups"),
            breaks("M29", "groups without a number", glm().megatron("--moe-router-group-topk", 2), "is not given"),
            keeps("M30", "all-to-all", glm47Flash()),
            keeps("M30", "a dense model", draft(qwen3_4b()).dispatcher(Dispatcher.ALLGATHER)),
            breaks("M30", "all-gather", glm().dispatcher(Dispatcher.ALLGATHER), "sequences of one length"),
            keeps("M31", "DeepEP on Hopper", flex().deepEp()),
            breaks("M31", "DeepEP with all-to-all", glm().deepEp(), "the dispatcher is alltoall"),
            breaks("M31", "DeepEP on Ampere", flex().deepEp().gpu(Gpu.A100_80), "A100-80 has 8.0"),
            breaks(
                    "M31",
                    "DeepEP with padding",
                    flex().deepEp().megatron("--moe-pad-expert-input-to-capacity"),
                    "does not pad"),
            keeps("M32", "flex over EP 8", flex()),
            breaks("M32", "flex over EP 1", small(flex()).layout(1, 1, 1, 1, 1), "all experts lie on one: EP 1, ETP 1"),
            keeps("M33", "grouped products in bf16", script()),
            keeps("M33", "fp16 in Megatron 0.19", glm().megatron("--fp16")),
            breaks(
                    "M33",
                    "fp16 in Megatron 0.16",
                    glm().megatron("--fp16").megatronVersion("0.16.1"),
                    "in bf16 only in Megatron 0.16.1"),
            keeps(
                    "M34",
                    "a shared expert beside all-to-all",
                    glm().megatron(SHARED_OVERLAP).megatronVersion("0.17.1")),
            keeps("M34", "a shared expert beside flex in Megatron 0.19", flex().megatron(SHARED_OVERLAP)),
            breaks(
                    "M34",
                    "a shared expert beside flex in Megatron 0.17",
                    flex().megatron(SHARED_OVERLAP).megatronVersion("0.17.1"),
                    "only in Megatron 0.17.1"),
            keeps("M35", "one stage, nothing recomputed", overlap()),
            keeps("M35", "virtual stages", overlapStages().megatron("--num-virtual-stages-per-pipeline-rank", 3)),
            breaks("M35", "full recomputation", overlap().recompute(Recompute.FULL), "all activations are recomputed"),
            breaks("M35", "EP 1", small(overlap()).layout(1, 1, 1, 1, 1), "EP is 1"),
            breaks("M35", "stages without virtual ones", overlapStages(), "PP is 4 without virtual stages"),
            breaks("M35", "two MTP layers", overlap().megatron("--mtp-num-layers", 2), "2 MTP layers"),
            breaks("M35", "two overlaps", overlap().megatron(SHARED_OVERLAP), SHARED_OVERLAP),
            keeps("M40", "64 experts routed in fp32", script()),
            keeps("M40", "a request, for which the planner routes in fp32", glm47Flash()),
            breaks(
                    "M40",
                    "64 experts routed in bf16",
                    draft(script()).withoutMegatron("--moe-router-dtype"),
                    "64 experts"));

    static final List<RuleCase> START = List.of(
            keeps("M36", "rotary positions", glm().mtpTrained().megatron("--position-embedding-type", "rope")),
            keeps("M36", "relative positions without MTP", glm().megatron("--position-embedding-type", "relative")),
            breaks(
                    "M36",
                    "relative positions",
                    glm().mtpTrained().megatron("--position-embedding-type", "relative"),
                    "does not know relative positions"),
            keeps("M37", "a request that trains the MTP layer", glm().mtpTrained()),
            keeps("M37", "a script that builds it", mtpScript().megatron("--mtp-num-layers", 1)),
            breaks("M37", "a script that builds none", mtpScript(), "--mtp-num-layers is not given"),
            breaks("M37", "a model that has none", draft(qwen3_4b()).mtpTrained(), "the checkpoint has none"),
            keeps("M38", "Megatron's fused loss", fusedLoss("native")),
            breaks("M38", "Transformer Engine's fused loss", fusedLoss("te"), "Transformer Engine"),
            keeps("M39", "a place and an interval", script()),
            breaks("M39", "no place", draft(script()).withoutMegatron("--save"), "without --save"),
            breaks("M39", "no interval", draft(script()).withoutMegatron("--save-interval"), "--save is given without"),
            breaks(
                    "M39",
                    "an interval of 0",
                    draft(script()).megatron("--save-interval", 0),
                    "--save-interval 0 is no"),
            keeps("M43", "the checkpoint's own sizes", sizes(2048, 1e-5).megatron("--rotary-base", 1_000_000)),
            keeps("M43", "tied embeddings", draft(qwen3_4b()).megatron("--num-layers", 36)),
            keeps(
                    "M43",
                    "a dense size where no layer is dense",
                    draft(qwen3_30b()).megatron("--ffn-hidden-size", 1)),
            breaks(
                    "M43",
                    "another width and epsilon",
                    sizes(4096, 1e-6),
                    "--hidden-size is 4096, the checkpoint's 2048; --norm-epsilon is 1.0E-6, the checkpoint's 1.0E-5"),
            breaks("M43", "another shared expert", glm().megatron("--moe-shared-expert-intermediate-size", 1), "1536"),
            breaks("M43", "another dense block", glm().megatron("--ffn-hidden-size", 1), "--ffn-hidden-size is 1"),
            breaks(
                    "M43",
                    "embeddings tied by silence",
                    glm().megatron("--num-layers", 47),
                    "is absent, the checkpoint's"),
            keeps("M44", "an environment that Megatron 0.19 completes", deterministic("{}")),
            keeps("M44", "a request", glm().megatron(DETERMINISTIC)),
            keeps(
                    "M44",
                    "slime's environment",
                    deterministic("{\"NCCL_ALGO\": \"Ring\", \"NVTE_ALLOW_NONDETERMINISTIC_ALGO\": 0,"
                                    + " \"CUBLAS_WORKSPACE_CONFIG\": \":4096:8\"}")
                            .megatronVersion("0.17.1")),
            breaks("M44", "trees", deterministic("{\"NCCL_ALGO\": \"Ring,Tree\"}"), "NCCL_ALGO=Ring,Tree"),
            breaks(
                    "M44",
                    "an empty environment before Megatron 0.19",
                    deterministic("{}").megatronVersion("0.18.2"),
                    "NCCL_ALGO is not set, NVTE_ALLOW_NONDETERMINISTIC_ALGO is not set, CUBLAS"),
            breaks(
                    "M44",
                    "a fused loss",
                    glm().megatron(DETERMINISTIC).megatron("--cross-entropy-loss-fusion"),
                    "the fused cross entropy is not deterministic"));

    /** Samples of 1024 tokens, whose activations fit where not all are computed again. */
    private static CandidateDraft brief(CandidateDraft draft) {
        return draft.lengths(0, 1024, 0).tokensPerGpu(1024);
    }

    /** Eight layers of GLM-4.7-Flash, which one GPU holds. */
    private static CandidateDraft small(CandidateDraft draft) {
        return draft.model(TestModels.withLayers(TestModels.GLM_47_FLASH, 8));
    }

    private static CandidateDraft fp8() {
        return glm().megatron("--fp8-param-gather").megatron("--fp8-recipe", "blockwise");
    }

    private static CandidateDraft selective(Object... modules) {
        return brief(glm()).recompute(Recompute.SELECTIVE).megatron(MODULES, modules);
    }

    private static CandidateDraft selectiveScript(Object... modules) {
        return brief(draft(script()))
                .recompute(Recompute.SELECTIVE)
                .withoutMegatron("--recompute-method")
                .withoutMegatron("--recompute-num-layers")
                .megatron(MODULES, modules);
    }

    private static CandidateDraft spread() {
        return glm().megatron("--distribute-saved-activations");
    }

    private static CandidateDraft offloading() {
        return glm().megatron("--cpu-offloading-num-layers", 4);
    }

    private static CandidateDraft oneExpert() {
        Experts experts = new Experts(128, 1, 768, 0, false, 0, 1, false, false, 1, 1);
        return draft(qwen3_30b()).model(TestModels.with(TestModels.QWEN3_30B, experts));
    }

    private static CandidateDraft groups(int experts, int groups, int used) {
        Experts grouped = new Experts(experts, 8, 384, 1536, false, 1, 1.8, true, true, groups, used);
        return glm().model(TestModels.with(TestModels.GLM_47_FLASH, grouped));
    }

    private static CandidateDraft flex() {
        return glm().dispatcher(Dispatcher.FLEX);
    }

    private static CandidateDraft overlap() {
        return brief(glm()).recompute(Recompute.NONE).megatron(OVERLAP);
    }

    private static CandidateDraft overlapStages() {
        return brief(draft(qwen3Next())).recompute(Recompute.NONE).megatron(OVERLAP);
    }

    private static CandidateDraft mtpScript() {
        return draft(script()).slime("--enable-mtp-training").mtpTrained();
    }

    private static CandidateDraft fusedLoss(String implementation) {
        return glm().megatron("--cross-entropy-loss-fusion").megatron("--cross-entropy-fusion-impl", implementation);
    }

    private static CandidateDraft sizes(int hidden, double epsilon) {
        return glm().megatron("--hidden-size", hidden)
                .megatron("--num-attention-heads", 20)
                .megatron("--norm-epsilon", epsilon)
                .megatron("--moe-ffn-hidden-size", 1536)
                .megatron("--untie-embeddings-and-output-weights");
    }

    private static CandidateDraft deterministic(String environment) {
        return draft(script()).megatron(DETERMINISTIC).slime(ENVIRONMENT, environment);
    }
}
