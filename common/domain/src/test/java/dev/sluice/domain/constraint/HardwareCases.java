package dev.sluice.domain.constraint;

import static dev.sluice.domain.constraint.Candidates.draft;
import static dev.sluice.domain.constraint.Candidates.glm;
import static dev.sluice.domain.constraint.Candidates.glm47Flash;
import static dev.sluice.domain.constraint.Candidates.qwen35;
import static dev.sluice.domain.constraint.Candidates.qwen3_4b;
import static dev.sluice.domain.constraint.EngineCases.deepEp;
import static dev.sluice.domain.constraint.RuleCase.breaks;
import static dev.sluice.domain.constraint.RuleCase.keeps;

import dev.sluice.domain.candidate.Gpu;
import dev.sluice.domain.candidate.TrainingSide.Optimizer;
import java.util.List;

/** What must fit the machines, and what they must have. Figures of memory are the planner specification's. */
final class HardwareCases {
    private HardwareCases() {}

    /** Specification, sections 1.5 and 2.1. */
    static final List<RuleCase> MEMORY = List.of(
            keeps("H01", "Adam on the CPU", glm47Flash()),
            keeps("H01", "Adam on the GPUs of two nodes", glm().gpus(16).optimizer(Optimizer.GPU)),
            breaks(
                    "H01",
                    "Adam on 8 GPUs",
                    glm().optimizer(Optimizer.GPU),
                    "training needs 90.6 GiB on the fullest GPU; 74.4 of 79.1 GiB may be used",
                    "set training.layout.cpuAdam to 1 (48.8 GiB)"),
            breaks(
                    "H01",
                    "precision-aware Adam on 8 GPUs",
                    glm().optimizer(Optimizer.PRECISION_AWARE),
                    "training needs 83.6 GiB on the fullest GPU"),
            keeps("H02", "896 of 1024 GiB", glm().referenceModel().hostMemoryGiB(1024)),
            keeps("H02", "a host of unknown memory", glm().hostMemoryGiB(0)),
            breaks(
                    "H02",
                    "896 of 768 GiB",
                    glm().referenceModel().hostMemoryGiB(768),
                    "CPU Adam (558 GiB), weight copies (210) and processes (128) need 896 GiB on each host; it has 768",
                    "drop the reference model (-105 GiB: algorithm.klLossCoefficient 0), add nodes"),
            breaks(
                    "H02",
                    "791 of 768 GiB",
                    glm().hostMemoryGiB(768),
                    "need 791 GiB on each host; it has 768",
                    "add nodes (cluster.trainNodes), or set training.layout.cpuAdam to 0"),
            keeps("H03", "824,456 tokens for one sample of 8195", glm47Flash()),
            // 0.15 x 79.1 = 11.9 GiB hold the weights, 9.8, and not what the trainer leaves, 4, too.
            breaks(
                    "H03",
                    "no token for a sample",
                    glm().engine(engine -> engine.fraction = 0.15),
                    "a rank's KV cache holds 0 tokens, the longest sequence has 8195",
                    "raise rollout.layout.memFractionStatic"),
            keeps("H04", "32 samples on a rank", glm47Flash()),
            // (0.25 x 79.1 - 9.80 - 4) GiB x 19,831 tokens = 118 thousand tokens.
            breaks(
                    "H04",
                    "32 samples on a rank in a small cache",
                    glm().engine(engine -> engine.fraction = 0.25),
                    "32 samples of 4096 tokens on a rank need 131072 tokens of KV cache; it holds 118",
                    "lower rollout.layout.maxRunningRequests to 208"),
            keeps("H05", "graphs of 16, a draft, 0.79", fraction(128, 0.79)),
            keeps("H05", "a dense model at 0.8", draft(qwen3_4b()).engine(engine -> engine.fraction = 0.8)),
            // 512 + 1.5 x 8192 + 2 x 16 + 1024 + 3 x 16 x 8 + 2048 = 16,288 MiB = 15.9 GiB.
            breaks(
                    "H05",
                    "graphs of 16, a draft, 0.84",
                    fraction(128, 0.84),
                    "mem-fraction-static 0.840 leaves 12.7 GiB; graphs, activations and draft need 15.9",
                    "set rollout.layout.memFractionStatic to 0.79 or less"),
            keeps("H06", "4 GiB of the trainer beside 0.7", glm47Flash()),
            keeps(
                    "H06",
                    "a cache of the draft's own without a trainer",
                    draft(qwen35()).colocated(false).engine(engine -> engine.fraction = 0.88)),
            breaks(
                    "H06",
                    "a draft's cache of an eighth of the model's",
                    draft(qwen35()).engine(engine -> engine.fraction = 0.88),
                    "mem-fraction-static 0.88 cannot be reached",
                    "set rollout.layout.memFractionStatic to 0.87 or less"));

    static final List<RuleCase> MACHINES = List.of(
            keeps("H07", "DeepEP on Hopper", glm().engine(deepEp())),
            breaks(
                    "H07",
                    "DeepEP on Ampere",
                    glm().gpu(Gpu.A100_80).engine(deepEp()),
                    "DeepEP needs Hopper (9.0) or newer, A100-80 is 8.0",
                    "set rollout.layout.a2aBackend to none [--moe-a2a-backend]; or use other GPUs"),
            keeps("H08", "EP 8 in nodes of 8", glm().gpus(16).withoutRdma()),
            breaks(
                    "H08",
                    "EP 16 over nodes of 8",
                    glm().gpus(16).layout(1, 1, 1, 16, 1).withoutRdma(),
                    "EP 16 of training spans 2 nodes without RDMA",
                    "set training.layout.ep to at most 8"),
            // 29,943,390,976 parameters x 14 bytes = 390 GiB; with the MTP layer 30,587,097,088 x 2 = 57 GiB.
            keeps("H09", "447 of 500 GiB", glm().diskGiB(500)),
            breaks(
                    "H09",
                    "447 of 300 GiB",
                    glm().diskGiB(300),
                    "each save writes 390 GiB beside the model's 57 GiB, the disk has 300 GiB",
                    "for each further cut of checkpoints.keepLast"));

    private static CandidateDraft fraction(int running, double fraction) {
        return glm().groups(running / 8).globalBatch(running).engine(engine -> {
            engine.samples(running);
            engine.fraction = fraction;
        });
    }
}
