package dev.sluice.domain.arguments;

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
import dev.sluice.domain.model.ModelSpec;
import dev.sluice.domain.model.ModelSpec.Experts;
import dev.sluice.domain.model.ModelSpec.GroupedQueryAttention;
import dev.sluice.domain.model.ModelSpec.LatentAttention;
import dev.sluice.domain.model.ModelSpec.LinearAttention;
import dev.sluice.domain.model.ModelSpec.QueryKeyNorm;
import dev.sluice.domain.model.ModelSpec.RopeScaling;
import dev.sluice.domain.model.ModelSpec.Rotary;
import dev.sluice.events.TrainingRequest.Mtp;
import dev.sluice.events.TrainingRequest.Training;
import java.util.List;
import java.util.Map;

/** Models by their config.json, and the candidate of the recipe that the project starts from. */
final class Candidates {
    static final ModelSpec GLM_4_7_FLASH = model(
            "glm4_moe_lite",
            47,
            2048,
            154_880,
            202_752,
            1e-5,
            1e6,
            new LatentAttention(20, 768, 512, 192, 64, 256),
            10_240,
            new Experts(64, 4, 1536, 1536, false, 1, 1.8, true, true, 1, 1),
            Rotary.PLAIN);

    static final ModelSpec QWEN3_4B = tied(model(
            "qwen3",
            36,
            2560,
            151_936,
            40_960,
            1e-6,
            1e6,
            new GroupedQueryAttention(32, 8, 128, false, QueryKeyNorm.HEAD, false),
            9728,
            null,
            Rotary.PLAIN));

    static final ModelSpec QWEN3_30B_A3B = model(
            "qwen3_moe",
            48,
            2048,
            151_936,
            40_960,
            1e-6,
            1e6,
            new GroupedQueryAttention(32, 4, 128, false, QueryKeyNorm.HEAD, false),
            6144,
            new Experts(128, 8, 768, 0, false, 0, 1, false, false, 1, 1),
            Rotary.PLAIN);

    static final ModelSpec GLM_4_7_355B = model(
            "glm4_moe",
            92,
            5120,
            151_552,
            202_752,
            1e-5,
            1e6,
            new GroupedQueryAttention(96, 8, 128, true, QueryKeyNorm.HEAD, false),
            12_288,
            new Experts(160, 8, 1536, 1536, false, 3, 2.5, true, true, 1, 1),
            new Rotary(0.5, false, null));

    static final ModelSpec DEEPSEEK_V3 = model(
            "deepseek_v3",
            61,
            7168,
            129_280,
            163_840,
            1e-6,
            1e4,
            new LatentAttention(128, 1536, 512, 128, 64, 128),
            18_432,
            new Experts(256, 8, 2048, 2048, false, 3, 2.5, true, true, 8, 4),
            new Rotary(1, false, new RopeScaling("yarn", 40, 4096, 1, 1)));

    static final ModelSpec QWEN3_NEXT_80B = linear(model(
            "qwen3_next",
            48,
            2048,
            151_936,
            262_144,
            1e-6,
            1e7,
            new GroupedQueryAttention(16, 2, 256, false, QueryKeyNorm.HEAD, true),
            5120,
            new Experts(512, 10, 512, 512, true, 0, 1, false, false, 1, 1),
            new Rotary(0.25, false, null)));

    private Candidates() {}

    /** One node of eight H100-80, colocated, without speculation: slime.md 2.3 and planner.md 2.1. */
    static Candidate recipe() {
        return new Candidate(
                GLM_4_7_FLASH,
                new Cluster(Gpu.H100_80, 8, 8, 8, true, 2048, 0, true, List.of()),
                installed("0.5.15.post1", "0.19.1"),
                workload(),
                training(new Layout(1, 1, 1, 8, 1, null, null)),
                engine());
    }

    static Installed installed(String sglang, String megatron) {
        return new Installed(new Version(sglang), new Version(megatron), "sluice@0.1");
    }

    static Workload workload() {
        return new Workload(
                32, 8, 256, 1, 0, 0, 8192, 4096, 0, 1, false, false, false, false, true, List.of(), Flags.NONE);
    }

    static TrainingSide training(Layout layout) {
        return new TrainingSide(
                layout, 8192, true, Recompute.FULL, Optimizer.CPU, Dispatcher.ALLTOALL, false, false, Flags.NONE);
    }

    static EngineSide engine() {
        return engine(8, 8, 1, 0.7, 16, 128, Speculation.OFF);
    }

    static EngineSide engine(
            int gpus, int dp, int ep, double fraction, int graphs, int running, Speculation speculation) {
        return new EngineSide(
                gpus,
                1,
                dp,
                dp > 1,
                true,
                ep,
                0,
                fraction,
                graphs,
                running,
                8192,
                1,
                1,
                "none",
                "auto",
                null,
                false,
                speculation,
                2,
                2,
                Flags.NONE);
    }

    /** As slime's script for the recipe sets the optimizer; Megatron's defaults otherwise. */
    static Training optimizer() {
        return new Training(
                3000,
                1,
                1e-6,
                0.1,
                0.9,
                0.98,
                1e-8,
                1,
                new Mtp(false, 0.2),
                dev.sluice.events.TrainingRequest.Layout.AUTO,
                Map.of(),
                dev.sluice.events.TrainingRequest.Batching.BY_TOKENS);
    }

    private static ModelSpec model(
            String type,
            int layers,
            int hidden,
            int vocabulary,
            int context,
            double epsilon,
            double theta,
            ModelSpec.Attention attention,
            int dense,
            Experts experts,
            Rotary rotary) {
        return new ModelSpec(
                type,
                type,
                layers,
                hidden,
                vocabulary,
                context,
                epsilon,
                false,
                false,
                theta,
                attention,
                null,
                null,
                dense,
                experts,
                1,
                null,
                rotary);
    }

    private static ModelSpec tied(ModelSpec model) {
        return with(model, true, false, null, model.attention());
    }

    private static ModelSpec linear(ModelSpec model) {
        return with(model, false, false, new LinearAttention(16, 32, 128, 128, 4, 4), model.attention());
    }

    static ModelSpec with(
            ModelSpec model, boolean tied, boolean postNorms, LinearAttention linear, ModelSpec.Attention attention) {
        return new ModelSpec(
                model.modelType(),
                model.architecture(),
                model.layers(),
                model.hiddenSize(),
                model.vocabularySize(),
                model.maxContextTokens(),
                model.normEpsilon(),
                tied,
                postNorms,
                model.ropeTheta(),
                attention,
                linear,
                model.indexer(),
                model.denseSize(),
                model.experts(),
                model.mtpLayers(),
                model.quantization(),
                model.rotary());
    }
}
