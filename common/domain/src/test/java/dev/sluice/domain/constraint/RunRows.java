package dev.sluice.domain.constraint;

import static dev.sluice.domain.constraint.ConstraintRow.row;
import static dev.sluice.domain.constraint.EngineCandidates.candidate;
import static dev.sluice.domain.constraint.EngineCandidates.cluster;
import static dev.sluice.domain.constraint.EngineCandidates.glm;
import static dev.sluice.domain.constraint.EngineCandidates.glm5;
import static dev.sluice.domain.constraint.EngineCandidates.glmApart;
import static dev.sluice.domain.constraint.EngineCandidates.installed;
import static dev.sluice.domain.constraint.EngineCandidates.layout;
import static dev.sluice.domain.constraint.EngineCandidates.qwen30b;
import static dev.sluice.domain.constraint.EngineCandidates.workload;

import dev.sluice.domain.candidate.Candidate;
import dev.sluice.domain.candidate.Cluster;
import dev.sluice.domain.candidate.EngineSide.Speculation;
import dev.sluice.domain.candidate.Flags;
import dev.sluice.domain.candidate.Gpu;
import dev.sluice.domain.candidate.TrainingSide;
import dev.sluice.domain.candidate.TrainingSide.Dispatcher;
import dev.sluice.domain.candidate.TrainingSide.Optimizer;
import dev.sluice.domain.candidate.TrainingSide.Recompute;
import dev.sluice.domain.model.ModelSpec;
import dev.sluice.domain.model.ModelSpec.Quantization;
import java.util.List;
import java.util.stream.Stream;

/** Rows of weights, checkpoints and hardware. */
final class RunRows {
    private static final Flags DISK =
            Flags.NONE.with("--update-weight-transport", "disk").with("--update-weight-disk-dir", "/shared/weights");

    private RunRows() {}

    static Stream<ConstraintRow> weights() {
        Candidate apart = glmApart(8, engine -> {});
        Flags delta = DISK.with("--update-weight-mode", "delta");
        Flags released = DISK.with("--release-train").with("--save", "/shared/saves");
        return Stream.of(
                row(
                        "W01",
                        apart.with(workload(delta.with("--update-weight-local-checkpoint-dir", "/nvme/weights"))),
                        apart.with(workload(delta)),
                        "deltas of weights cannot be published so: one thing is in the way",
                        "[--update-weight-local-checkpoint-dir]"),
                row(
                        "W02",
                        apart.with(workload(DISK)),
                        apart.with(workload(DISK.without("--update-weight-disk-dir"))),
                        "weights go over disk and no directory is given for them",
                        "[--update-weight-disk-dir]"),
                row(
                        "W03",
                        apart.with(workload(released)),
                        apart.with(workload(released.without("--save").with("--keep-old-actor"))),
                        "a trainer cannot be released between steps so: 2 things are in the way",
                        "[--save]; remove [--keep-old-actor]"),
                // 2 matrices x 2,048 x 6,144 x 2 bytes x 32 ranks = 1.5 GiB; slime's buffer is 0.5 GiB.
                row(
                        "W04",
                        glm5(engine -> {}),
                        glm5(engine -> {}).with(workload(Flags.NONE)),
                        "over EP 32 are 1.50 GiB, slime's buffer is 0.50 GiB",
                        "give 2147483648 bytes or more [--update-weight-buffer-size]"));
    }

    static Stream<ConstraintRow> checkpoints() {
        ModelSpec fp8 = EngineModels.glm47Flash(20, 1, new Quantization("fp8", 1.01, 128));
        Candidate withoutDrafts = glm(engine -> engine.speculation = Speculation.OFF);
        Cluster shared = new Cluster(Gpu.H100_80, 8, 16, 16, true, 2048, 0, true, List.of("/shared", "/models/"));
        return Stream.of(
                row(
                        "C01",
                        glm(engine -> {}).with(installed("0.5.15.post1", "sluice@0.1")),
                        qwen30b(engine -> {}).with(installed("0.5.15.post1", "sluice@0.1")),
                        "sluice@0.1 converts no checkpoint of model_type qwen3_moe",
                        "use a model of one of the types deepseek_v3, glm4_moe, glm4_moe_lite, mimo"),
                row(
                        "C02",
                        trainingMtp(glm(engine -> {})),
                        trainingMtp(glm(engine -> {})).with(installed("0.5.15.post1", "slime@2026-02-14")),
                        "slime@2026-02-14 does not train the MTP layer of glm4_moe_lite, only from 2026-03-11 on",
                        "install slime of 2026-03-11 or later, or set training.mtp.train to false"),
                row(
                        "C03",
                        trainingMtp(withoutDrafts),
                        trainingMtp(withoutDrafts).with(EngineModels.glm47Flash(20, 2, null)),
                        "the checkpoint has 2 MTP layers, and of glm4_moe_lite's layout only one is supported",
                        "set training.mtp.train to false"),
                row(
                        "C04",
                        glm(engine -> {}).with(fp8).with(workload(Flags.NONE.with("--ref-load", "/models/converted"))),
                        glm(engine -> {}).with(fp8),
                        "Megatron cannot load weights quantised as fp8",
                        "set model.path to a bf16 copy, and model.rolloutPath to this checkpoint"),
                // 743.911e9 parameters x 2 bytes / 8 GPUs = 173.2 GiB, and one file.
                row(
                                "C05",
                                glm5(engine -> {}),
                                glm5(engine -> engine.dp = engine.ep = engine.gpus = 8)
                                        .with(cluster(8)),
                                "conversion to torch_dist needs 178.2 GiB on each of 8 GPUs, H100-80 has 79.1",
                                "convert on 19 GPUs or more")
                        .beside("S22"),
                row(
                        "C06",
                        glm(engine -> {}).with(shared).with(workload(Flags.NONE, "/shared/a.jsonl", "/models/glm")),
                        glm(engine -> {}).with(shared).with(workload(Flags.NONE, "/shared/a.jsonl", "/sharedby/glm")),
                        "/sharedby/glm is not on storage that all 2 nodes see (/shared, /models/)",
                        "move it below one of cluster.sharedRoots"),
                row(
                        "C07",
                        padded(154_880),
                        padded(154_000),
                        "a padded vocabulary of 154000 rows does not hold 154880",
                        "set it to 154880, or leave it out [--padded-vocab-size]"));
    }

    static Stream<ConstraintRow> hardware() {
        Cluster ampere = new Cluster(Gpu.A100_80, 8, 8, 8, true, 2048, 0, true, List.of());
        Cluster ethernet = new Cluster(Gpu.H100_80, 8, 16, 16, true, 2048, 0, false, List.of());
        return Stream.of(
                row(
                        "H07",
                        glm(engine -> engine.a2a = "deepep"),
                        glm(engine -> engine.a2a = "deepep").with(ampere),
                        "DeepEP needs Hopper (9.0) or newer, A100-80 is 8.0",
                        "set rollout.layout.a2aBackend to none [--moe-a2a-backend]; or use other GPUs"),
                row(
                        "H08",
                        candidate(EngineModels.GLM_47_FLASH, ethernet, layout(8), engine -> {}),
                        candidate(EngineModels.GLM_47_FLASH, ethernet, layout(16), engine -> {}),
                        "EP 16 of training spans 2 nodes without RDMA",
                        "set training.layout.ep to at most 8"),
                // 29,943,390,976 parameters x 14 bytes = 390 GiB; with the MTP layer 30,587,097,088 x 2 = 57 GiB.
                row(
                        "H09",
                        glm(engine -> {}).with(disk(500)),
                        glm(engine -> {}).with(disk(300)),
                        "each save writes 390 GiB beside the model's 57 GiB, the disk has 300 GiB",
                        "for each further cut of checkpoints.keepLast"));
    }

    private static Candidate trainingMtp(Candidate candidate) {
        return candidate.with(new TrainingSide(
                layout(8), 8192, false, Recompute.FULL, Optimizer.CPU, Dispatcher.ALLTOALL, false, true, Flags.NONE));
    }

    private static Candidate padded(int rows) {
        Candidate candidate = glm(engine -> {});
        return candidate.with(candidate.training().with(Flags.NONE.with("--padded-vocab-size", rows)));
    }

    private static Cluster disk(int gib) {
        return new Cluster(Gpu.H100_80, 8, 8, 8, true, 2048, gib, true, List.of());
    }
}
