package dev.sluice.domain.constraint;

import static dev.sluice.domain.constraint.Candidates.draft;
import static dev.sluice.domain.constraint.Candidates.glm;
import static dev.sluice.domain.constraint.Candidates.glm52;
import static dev.sluice.domain.constraint.Candidates.qwen3Next;
import static dev.sluice.domain.constraint.Candidates.qwen3_30b;
import static dev.sluice.domain.constraint.Candidates.qwen3_4b;
import static dev.sluice.domain.constraint.Candidates.script;
import static dev.sluice.domain.constraint.Candidates.twoNodes;
import static dev.sluice.domain.constraint.RuleCase.breaks;
import static dev.sluice.domain.constraint.RuleCase.keeps;

import dev.sluice.domain.candidate.Gpu;
import java.util.List;

/** Layouts: parallel sizes, pipeline stages, heads, sequences. */
final class LayoutCases {
    private static final String VIRTUAL = "--num-virtual-stages-per-pipeline-rank";
    private static final String VIRTUAL_LAYERS = "--num-layers-per-virtual-pipeline-stage";
    private static final String STAGE_LAYOUT = "--pipeline-model-parallel-layout";
    private static final String ENVIRONMENT = "--train-env-vars";

    private LayoutCases() {}

    static final List<RuleCase> SIZES = List.of(
            keeps("M01", "TP 4, PP 2 and CP 2 on 16 GPUs", twoNodes()),
            breaks("M01", "TP 5 on 8 GPUs", glm().tp(5), "8 GPUs, which copies of the model over TP*PP*CP = 5*1*1 = 5"),
            breaks("M01", "CP 3 on 8 GPUs", glm().layout(1, 1, 3, 8, 1), "1*1*3 = 3"),
            breaks("M01", "TP 0", glm().tp(0), "holds a size below 1"),
            breaks("M01", "no training GPUs", glm().trainGpus(0), "training over 0 GPUs"),
            keeps("M02", "EP 8 and PP 2 on 16 GPUs", twoNodes()),
            // slime's scripts/run-glm4.7-30B-A3B.sh of 2026-08-21 has one node.
            breaks(
                    "M02",
                    "slime's script of EP 8 and PP 2 on 8 GPUs",
                    glm().layout(2, 2, 2, 8, 1).stages(null, 23),
                    "8 GPUs, which copies of the experts over ETP*EP*PP = 1*8*2 = 16 GPUs do not fill"),
            breaks("M02", "ETP 0", glm().layout(1, 1, 1, 8, 0), "hold a size below 1"),
            keeps("M03", "20 heads over TP 4", twoNodes()),
            breaks("M03", "20 heads over TP 8", glm().tp(8), "20 attention heads cannot be split over TP 8"),
            keeps("M04", "4 key-value groups over TP 8", draft(qwen3_30b()).tp(8)),
            keeps("M04", "latent attention, which has no groups", glm().tp(2)),
            breaks(
                    "M04",
                    "8 key-value groups over TP 16 of 48 heads",
                    draft(qwen3_4b())
                            .model(TestModels.withHeads(TestModels.QWEN3_4B, 48, 12))
                            .gpus(16)
                            .gpusPerNode(16)
                            .tp(16),
                    "12 key-value groups and TP 16"),
            keeps("M05", "64 experts over EP 8", glm()),
            keeps("M05", "a dense model over EP 1", qwen3_4b()),
            breaks("M05", "64 experts over EP 6", glm().gpus(24).layout(1, 1, 1, 6, 1), "64 experts do not divide"),
            breaks("M05", "a dense model over EP 2", draft(qwen3_4b()).layout(2, 1, 1, 2, 1), "the model is dense"),
            keeps("M06", "TP and EP with sequence parallelism", twoNodes()),
            keeps("M06", "EP without TP", glm()),
            breaks("M06", "TP 2 and EP 8 without it", glm().tp(2).sequenceParallel(false), "TP 2 and EP 8 without"),
            keeps("M07", "TP 2 with sequence parallelism", glm().tp(2)),
            breaks("M07", "TP 1 with sequence parallelism", glm().sequenceParallel(true), "TP is 1"),
            keeps("M45", "TP 8 in nodes of 8", draft(qwen3_30b()).gpus(16).layout(8, 1, 1, 8, 1)),
            breaks(
                    "M45",
                    "TP 16 in nodes of 8",
                    draft(qwen3_30b()).gpus(16).layout(16, 1, 1, 8, 1),
                    "TP 16 crosses nodes of 8 GPUs"),
            breaks(
                    "M45",
                    "ETP 2 in nodes of 1",
                    glm().gpusPerNode(1).layout(1, 1, 1, 4, 2),
                    "ETP 2 crosses nodes of 1"));

    static final List<RuleCase> STAGES = List.of(
            keeps("M08", "47 layers in 2 stages, 23 in the last", twoNodes()),
            keeps("M08", "47 layers and the loss in 2 stages", twoStages().megatron(Stages.LOSS)),
            keeps("M08", "a layout of its own", twoStages().megatron(STAGE_LAYOUT, "Et*24|t*23L")),
            // slime's examples/delta_weight_sync/run-glm4.7-30B-A3B-delta.sh of 2026-08-21.
            breaks(
                    "M08",
                    "slime's script of 47 layers in 2 stages",
                    glm().gpus(16).layout(2, 2, 2, 8, 1),
                    "47 layers do not divide into 2 pipeline stages"),
            breaks(
                    "M08",
                    "48 layers and the embedding in 2 stages",
                    draft(qwen3_30b()).gpus(16).layout(4, 2, 1, 8, 1).megatron(Stages.EMBEDDING),
                    "48 layers with embedding and loss counted (49)"),
            keeps("M09", "14 and 16 of 78 layers at the ends of 8 stages", glm52()),
            keeps("M09", "24 and 23 of 47 layers in 2 stages", draft(twoNodes()).stages(24, 23)),
            breaks("M09", "24 and 22 of 47 layers", draft(twoNodes()).stages(24, 22), "leaves 1 for 0 stages"),
            breaks("M09", "a last stage without layers", draft(twoNodes()).stages(null, 0), "the last 0"),
            breaks(
                    "M09",
                    "14 and 15 of 78 layers in 8 stages",
                    draft(glm52()).stages(14, 15),
                    "leaves 49 for 6 stages between them"),
            keeps("M10", "one stage", glm()),
            breaks("M10", "one stage with 23 layers", glm().stages(null, 23), "the last stage is given 23 layers"),
            keeps("M11", "layers of the last stage", twoNodes()),
            breaks(
                    "M11",
                    "layers of the last stage and the loss counted",
                    draft(twoNodes()).megatron(Stages.LOSS),
                    "layers of the first or last stage, --account-for"),
            breaks(
                    "M11",
                    "layers of the last stage and a layout",
                    draft(twoNodes()).megatron(STAGE_LAYOUT, "Et*24|t*23L"),
                    STAGE_LAYOUT),
            keeps(
                    "M12",
                    "48 layers in 4 stages of 3 virtual ones",
                    draft(qwen3Next()).megatron(VIRTUAL, 3)),
            keeps(
                    "M12",
                    "48 layers in 4 stages, 6 a virtual one",
                    draft(qwen3Next()).megatron(VIRTUAL_LAYERS, 6)),
            breaks("M12", "one stage", glm().megatron(VIRTUAL, 47), "PP is 1 and must be at least 2"),
            breaks(
                    "M12",
                    "two stages without overlap",
                    draft(qwen3Next())
                            .layout(2, 2, 2, 8, 1)
                            .megatron(VIRTUAL, 2)
                            .megatron("--no-overlap-p2p-communication"),
                    "PP is 2 and must be at least 3"),
            breaks("M12", "12 layers in 5", draft(qwen3Next()).megatron(VIRTUAL, 5), "no multiple of 5 virtual stages"),
            breaks(
                    "M12",
                    "12 layers by 5",
                    draft(qwen3Next()).megatron(VIRTUAL_LAYERS, 5),
                    "12 layers a stage are not"),
            breaks("M12", "0 virtual stages", draft(qwen3Next()).megatron(VIRTUAL, 0), "0 virtual stages a rank"),
            breaks(
                    "M12",
                    "both flags",
                    draft(qwen3Next()).megatron(VIRTUAL, 2).megatron(VIRTUAL_LAYERS, 6),
                    "exclude one another"),
            breaks(
                    "M12",
                    "layers of a virtual stage in uneven stages",
                    draft(twoNodes()).megatron(VIRTUAL_LAYERS, 1),
                    "uneven stages take " + VIRTUAL),
            // slime's scripts/run-glm5.2-744B-A40B.sh: stages start at 1, 15, 23, ..., 63, which all compute.
            keeps("M13", "slime's split of GLM-5.2 into 8 stages", glm52()),
            keeps("M13", "a model without an indexer", twoNodes()),
            breaks(
                    "M13",
                    "GLM-5.2 in 6 even stages",
                    draft(glm52()).gpus(192).layout(4, 6, 8, 32, 1).stages(null, null),
                    "stage 2 of 6 starts on layer 14, which uses"),
            breaks("M13", "16 and 14 of 78 layers", draft(glm52()).stages(16, 14), "stage 2 of 8 starts on layer 17"));

    static final List<RuleCase> SEQUENCES = List.of(
            keeps("M14", "slime's sequence of 4096 over CP 2", draft(script()).layout(1, 1, 2, 8, 1)),
            keeps("M14", "an odd sequence over CP 1", glm().megatron("--seq-length", 4095)),
            breaks(
                    "M14",
                    "slime's sequence of 4096 over CP 3",
                    draft(script()).gpus(24).layout(1, 1, 3, 8, 1),
                    "4096 is not a multiple of 2*CP = 6"),
            keeps(
                    "M15",
                    "a response that fills the context",
                    draft(qwen3_4b())
                            .model(TestModels.withPositions(TestModels.QWEN3_4B, 9000))
                            .lengths(1000, 8000, 0)),
            breaks(
                    "M15",
                    "no room for drafts",
                    glm().model(TestModels.withPositions(TestModels.GLM_47_FLASH, 8000))
                            .lengths(1000, 7000, 0),
                    "3 that SGLang keeps free for drafts exceeds"),
            keeps(
                    "M15",
                    "a model that tells no positions",
                    draft(qwen3_4b()).model(TestModels.withPositions(TestModels.QWEN3_4B, 0))),
            breaks(
                    "M15",
                    "prompt and response",
                    draft(qwen3_4b())
                            .model(TestModels.withPositions(TestModels.QWEN3_4B, 8192))
                            .lengths(1000, 8000, 0),
                    "9000 tokens (1000 of"),
            breaks(
                    "M15",
                    "tool turns",
                    draft(qwen3_4b()).lengths(1000, 8192, 96_000),
                    "tool turns) exceeds the model's 40960"),
            keeps("M16", "an environment that sets it", draft(script()).tp(2)),
            keeps("M16", "Blackwell", connections("{}").gpu(Gpu.B200_180)),
            keeps("M16", "neither TP nor CP", draft(script()).slime(ENVIRONMENT, "{}")),
            keeps("M16", "a request, for which the planner sets it", glm().tp(2)),
            keeps("M16", "FSDP, which wants more connections", connections("{}").megatron("--use-megatron-fsdp")),
            breaks("M16", "an environment that does not set it", connections("{}"), "does not set it"),
            breaks("M16", "an environment that cannot be read", connections("{1"), "does not set it"),
            breaks(
                    "M16",
                    "8 connections over CP 2",
                    connections("{\"CUDA_DEVICE_MAX_CONNECTIONS\": 8}").layout(1, 1, 2, 8, 1),
                    "TP 1 and CP 2 on H100-80 need CUDA_DEVICE_MAX_CONNECTIONS=1, but the trainer's environment sets it to 8"));

    static final List<RuleCase> ATTENTION = List.of(
            keeps("M26", "grouped queries that say so", draft(qwen3_4b()).megatron("--group-query-attention")),
            breaks("M26", "latent attention with groups", glm().megatron("--group-query-attention"), "--group-query"),
            breaks(
                    "M26",
                    "latent attention, interleaved",
                    glm().megatron("--rotary-interleaved"),
                    "--rotary-interleaved"),
            keeps("M41", "16 and 32 linear heads over TP 2 and CP 2", qwen3Next()),
            keeps("M41", "layers of a plugin", linear().megatron("--spec", "plugin", "spec")),
            breaks("M41", "16 and 32 linear heads over TP 2 and CP 16", linear(), "TP*CP = 2*16 = 32"),
            breaks(
                    "M41",
                    "CP before Megatron 0.18",
                    draft(qwen3Next()).megatronVersion("0.17.1"),
                    "take none in Megatron 0.17.1"),
            keeps("M42", "sparse attention with CP 8", draft(glm52()).megatron("--allgather-cp")),
            keeps("M42", "CP 1", draft(script()).slime("--allgather-cp")),
            breaks(
                    "M42",
                    "dense attention with CP 2",
                    draft(twoNodes()).megatron("--allgather-cp"),
                    "--allgather-cp with CP 2"));

    private static CandidateDraft twoStages() {
        return draft(twoNodes()).stages(null, null);
    }

    private static CandidateDraft connections(String environment) {
        return draft(script()).tp(2).slime(ENVIRONMENT, environment);
    }

    private static CandidateDraft linear() {
        return draft(qwen3Next()).gpus(128).layout(2, 4, 16, 8, 1);
    }
}
