package dev.sluice.domain.constraint;

import static dev.sluice.domain.constraint.Candidates.draft;
import static dev.sluice.domain.constraint.Candidates.glm;
import static dev.sluice.domain.constraint.Candidates.glm47Flash;
import static dev.sluice.domain.constraint.Candidates.glm52;
import static dev.sluice.domain.constraint.Candidates.qwen3Next;
import static dev.sluice.domain.constraint.Candidates.qwen3_30b;
import static dev.sluice.domain.constraint.Candidates.script;
import static dev.sluice.domain.constraint.RuleCase.breaks;
import static dev.sluice.domain.constraint.RuleCase.keeps;

import dev.sluice.domain.candidate.EngineSide.Speculation;
import dev.sluice.domain.model.ModelSpec;
import dev.sluice.domain.model.ModelSpec.Experts;
import java.util.List;

/** Weights that are published, checkpoints that are read. */
final class CheckpointCases {
    private static final ModelSpec BLOCK_FP8 = TestModels.quantised(TestModels.GLM_47_FLASH, "fp8", 1.01, 128);
    private static final ModelSpec INT4 = TestModels.quantised(TestModels.GLM_47_FLASH, "compressed-tensors", 0.53, 0);

    private CheckpointCases() {}

    static final List<RuleCase> WEIGHTS = List.of(
            keeps(
                    "W01",
                    "deltas to engines with a checkpoint of their own",
                    delta().slime("--update-weight-local-checkpoint-dir", "/nvme/weights")),
            breaks(
                    "W01",
                    "deltas to nothing",
                    delta(),
                    "deltas of weights cannot be published so: one thing is in the way",
                    "[--update-weight-local-checkpoint-dir]"),
            keeps("W02", "weights over a shared directory", disk()),
            breaks(
                    "W02",
                    "weights over no directory",
                    disk().withoutSlime("--update-weight-disk-dir"),
                    "weights go over disk and no directory is given for them",
                    "[--update-weight-disk-dir]"),
            keeps("W03", "a trainer that saves before it goes", released().slime("--save", "/shared/saves")),
            breaks(
                    "W03",
                    "a trainer that forgets",
                    released().slime("--keep-old-actor"),
                    "a trainer cannot be released between steps so: 2 things are in the way",
                    "[--save]; remove [--keep-old-actor]"),
            keeps("W04", "a buffer of 4 GiB", glm52()),
            keeps(
                    "W04",
                    "Sluice's trainer, which has no such buffer",
                    glm().gpus(64).layout(1, 1, 1, 64, 1)),
            // 2 matrices x 2,048 x 6,144 x 2 bytes x 32 ranks = 1.5 GiB; slime's buffer is 0.5 GiB.
            breaks(
                    "W04",
                    "slime's buffer for experts over 32 ranks",
                    draft(glm52()).withoutSlime("--update-weight-buffer-size"),
                    "over EP 32 are 1.50 GiB, slime's buffer is 0.50 GiB",
                    "give 2147483648 bytes or more [--update-weight-buffer-size]"));

    static final List<RuleCase> CHECKPOINTS = List.of(
            keeps("C01", "a latent model and Sluice", glm47Flash()),
            keeps("C01", "Qwen3 with experts and Sluice", qwen3_30b()),
            keeps("C01", "Qwen3-Next and slime", qwen3Next()),
            breaks(
                    "C01",
                    "Qwen3-Next and Sluice",
                    draft(qwen3Next()).trainer("sluice@0.1"),
                    "sluice@0.1 converts no checkpoint of model_type qwen3_next",
                    "use a model of one of the types deepseek_v3, glm4_moe, glm4_moe_lite, llama, mimo, qwen2, qwen3,"
                            + " qwen3_moe"),
            keeps("C02", "slime of this year", mtp().trainer("slime@2026-08-21")),
            breaks(
                    "C02",
                    "slime of the winter",
                    mtp().trainer("slime@2026-02-14"),
                    "slime@2026-02-14 does not train the MTP layer of glm4_moe_lite, only from 2026-03-11 on",
                    "install slime of 2026-03-11 or later, or set training.mtp.train to false"),
            keeps("C03", "one MTP layer", mtp()),
            breaks(
                    "C03",
                    "two MTP layers",
                    mtp().model(TestModels.withMtpLayers(TestModels.GLM_47_FLASH, 2))
                            .engine(engine -> engine.speculation = Speculation.OFF),
                    "the checkpoint has 2 MTP layers, and of glm4_moe_lite's layout only one is supported",
                    "set training.mtp.train to false"),
            keeps("C04", "block fp8 that Sluice reads", glm().model(BLOCK_FP8)),
            keeps("C04", "fp8 that was converted for slime", draft(script()).model(BLOCK_FP8)),
            breaks(
                    "C04",
                    "fp8 and slime",
                    glm().model(BLOCK_FP8).trainer("slime@2026-08-21"),
                    "slime@2026-08-21 cannot train from weights quantised as fp8",
                    "set model.path to a bf16 copy, and model.rolloutPath to this checkpoint"),
            breaks(
                    "C04",
                    "int4",
                    glm().model(INT4),
                    "sluice@0.1 cannot train from weights quantised as compressed-tensors"),
            breaks(
                    "C04",
                    "mxfp4",
                    glm().model(TestModels.quantised(TestModels.GLM_47_FLASH, "mxfp4", 0.53, 0)),
                    "sluice@0.1 cannot train from weights quantised as mxfp4"),
            keeps("C05", "GLM-5.2 on 256 GPUs", glm52()),
            keeps("C05", "Sluice, which converts without GPUs", hugeLayers().trainer("sluice@0.1")),
            // 3 x 2,048 x 768 x 16,384 parameters in a layer's experts x 2 bytes = 144.0 GiB; the rest 0.7 GiB, a file
            // 5.
            breaks(
                    "C05",
                    "four layers of 144 GiB",
                    hugeLayers(),
                    "conversion to torch_dist needs 149.4 GiB on each of 4 GPUs, H100-80 has 79.1",
                    "convert on 8 GPUs or more"),
            keeps("C06", "files below shared directories", shared("/shared/a.jsonl", "/models/glm")),
            breaks(
                    "C06",
                    "a file beside a shared directory",
                    shared("/shared/a.jsonl", "/sharedby/glm"),
                    "/sharedby/glm is not on storage that all 2 nodes see (/shared, /models/)",
                    "move it below one of cluster.sharedRoots"),
            keeps("C07", "as many rows as tokens", glm().megatron("--padded-vocab-size", 154_880)),
            breaks(
                    "C07",
                    "fewer rows than tokens",
                    glm().megatron("--padded-vocab-size", 154_000),
                    "a padded vocabulary of 154000 rows does not hold 154880",
                    "set it to 154880, or leave it out [--padded-vocab-size]"));

    private static CandidateDraft disk() {
        return draft(script())
                .colocated(false)
                .slime("--update-weight-transport", "disk")
                .slime("--update-weight-disk-dir", "/shared/weights");
    }

    private static CandidateDraft delta() {
        return disk().slime("--update-weight-mode", "delta");
    }

    private static CandidateDraft released() {
        return disk().slime("--release-train");
    }

    private static CandidateDraft mtp() {
        return glm().mtpTrained();
    }

    /** Fine-tuning of four layers of 16,384 experts, which 256 GPUs hold and one cannot convert. */
    private static CandidateDraft hugeLayers() {
        Experts experts = new Experts(16_384, 8, 768, 0, false, 0, 1, false, false, 1, 1);
        return draft(qwen3_30b())
                .model(TestModels.withLayers(TestModels.with(TestModels.QWEN3_30B, experts), 4))
                .trainer("slime@2026-08-21")
                .gpus(256)
                .layout(1, 1, 1, 256, 1)
                .tokensPerGpu(8192)
                .trainOnly();
    }

    private static CandidateDraft shared(String... paths) {
        return glm().gpus(16).sharedRoots("/shared", "/models/").paths(paths);
    }
}
