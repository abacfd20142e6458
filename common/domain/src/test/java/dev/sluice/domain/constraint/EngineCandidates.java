package dev.sluice.domain.constraint;

import dev.sluice.domain.candidate.Candidate;
import dev.sluice.domain.candidate.Cluster;
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
import dev.sluice.domain.model.ModelSpec;
import java.util.List;
import java.util.function.Consumer;

/** Candidates for tests of engine rules: slime's recipes and one change. */
final class EngineCandidates {
    private EngineCandidates() {}

    /** The recipe page: GLM-4.7-Flash, 8 H100 that train and sample. */
    static Candidate glm(Consumer<EngineDraft> change) {
        return candidate(EngineModels.GLM_47_FLASH, cluster(8), layout(8), change);
    }

    /** One engine of these GPUs, and as many others that train. */
    static Candidate glmApart(int gpus, Consumer<EngineDraft> change) {
        Consumer<EngineDraft> whole = engine -> {
            engine.gpus = gpus;
            engine.ep = gpus;
            engine.dp = gpus;
        };
        return candidate(EngineModels.GLM_47_FLASH, apart(gpus), layout(8), whole.andThen(change));
    }

    /** Slime's run-qwen3-4B.sh: engines of two GPUs. */
    static Candidate qwen4b(Consumer<EngineDraft> change) {
        return candidate(EngineModels.QWEN3_4B, cluster(8), layout(1), plain(2).andThen(change));
    }

    /** Slime's run-qwen3-30B-A3B.sh: one engine of eight GPUs. */
    static Candidate qwen30b(Consumer<EngineDraft> change) {
        return candidate(EngineModels.QWEN3_30B, cluster(8), layout(8), plain(8).andThen(change));
    }

    /** Slime's run-qwen3-next-80B-A3B.sh: EAGLE on linear attention. */
    static Candidate qwenNext(Consumer<EngineDraft> change) {
        return candidate(
                EngineModels.QWEN3_NEXT_80B,
                cluster(32),
                layout(8),
                plain(8).andThen(engine -> {
                            engine.ep = 8;
                            engine.graph = 128;
                            engine.running = 128;
                            engine.speculation = Speculation.eagle(3);
                        })
                        .andThen(change));
    }

    /** Slime's run-glm5.2-744B-A40B.sh: engines of 64 GPUs with DeepEP. */
    static Candidate glm5(Consumer<EngineDraft> change) {
        Consumer<EngineDraft> recipe = engine -> {
            engine.gpus = 64;
            engine.dp = 64;
            engine.ep = 64;
            engine.graph = 8;
            engine.running = 512;
            engine.page = 64;
            engine.a2a = "deepep";
            engine.weightBytes = 1.01;
            engine.kvBytes = 1;
            engine.speculation = Speculation.eagle(4);
        };
        Cluster cluster = new Cluster(Gpu.H100_80, 8, 256, 256, true, 2048, 0, true, List.of());
        return candidate(EngineModels.GLM_5, cluster, new Layout(4, 8, 8, 32, 1, null, 16), recipe.andThen(change))
                .with(workload(Flags.NONE.with("--update-weight-buffer-size", 4L << 30)));
    }

    static Consumer<EngineDraft> plain(int gpus) {
        return engine -> engine.plain(gpus);
    }

    static Candidate candidate(ModelSpec model, Cluster cluster, Layout layout, Consumer<EngineDraft> change) {
        EngineDraft engine = new EngineDraft();
        change.accept(engine);
        return new Candidate(
                model,
                cluster,
                installed("0.5.15.post1", "slime@2026-08-21"),
                workload(Flags.NONE),
                training(layout),
                engine.build());
    }

    static Installed installed(String sglang, String trainer) {
        return new Installed(new Version(sglang), new Version("0.19.1"), trainer);
    }

    static Layout layout(int ep) {
        return new Layout(1, 1, 1, ep, 1, null, null);
    }

    static TrainingSide training(Layout layout) {
        return new TrainingSide(
                layout, 8192, false, Recompute.FULL, Optimizer.CPU, Dispatcher.ALLTOALL, false, false, Flags.NONE);
    }

    /** Nodes of eight H100 that train and sample. */
    static Cluster cluster(int gpus) {
        return new Cluster(Gpu.H100_80, 8, gpus, gpus, true, 2048, 0, true, List.of());
    }

    /** As many GPUs sample as train, on nodes of their own. */
    static Cluster apart(int gpus) {
        return new Cluster(Gpu.H100_80, 8, gpus, gpus, false, 2048, 0, true, List.of());
    }

    static Workload workload(Flags slime, String... paths) {
        return new Workload(
                32, 8, 256, 0, 0, 1024, 8192, 4096, 0, 1.0, true, false, false, false, true, List.of(paths), slime);
    }
}
