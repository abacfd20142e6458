package dev.sluice.domain.constraint;

import dev.sluice.domain.model.ModelSpec;
import dev.sluice.domain.model.ModelSpec.Experts;
import dev.sluice.domain.model.ModelSpec.GroupedQueryAttention;
import dev.sluice.domain.model.ModelSpec.Indexer;
import dev.sluice.domain.model.ModelSpec.LatentAttention;
import dev.sluice.domain.model.ModelSpec.LinearAttention;
import dev.sluice.domain.model.ModelSpec.Quantization;
import dev.sluice.domain.model.ModelSpec.QueryKeyNorm;
import org.jspecify.annotations.Nullable;

/** Models for tests of engine rules, by their released config.json. */
final class EngineModels {
    static final ModelSpec GLM_47_FLASH = glm47Flash(20, 1, null);

    static final ModelSpec QWEN3_4B = qwen3("qwen3", "Qwen3ForCausalLM", 36, 2560, 8, 9728, null);

    static final ModelSpec QWEN3_30B = qwen3(
            "qwen3_moe",
            "Qwen3MoeForCausalLM",
            48,
            2048,
            4,
            6144,
            new Experts(128, 8, 768, 0, false, 0, 1, false, false, 1, 1));

    static final ModelSpec QWEN3_235B = new ModelSpec(
            "qwen3_moe",
            "Qwen3MoeForCausalLM",
            94,
            4096,
            151_936,
            40_960,
            1e-6,
            false,
            false,
            1e6,
            new GroupedQueryAttention(64, 4, 128, false, QueryKeyNorm.HEAD, false),
            null,
            null,
            12_288,
            new Experts(128, 8, 1536, 0, false, 0, 1, false, false, 1, 1),
            0,
            null);

    static final ModelSpec QWEN3_NEXT_80B = new ModelSpec(
            "qwen3_next",
            "Qwen3NextForCausalLM",
            48,
            2048,
            151_936,
            262_144,
            1e-6,
            false,
            false,
            1e7,
            new GroupedQueryAttention(16, 2, 256, false, QueryKeyNorm.HEAD, true),
            new LinearAttention(16, 32, 128, 128, 4, 4),
            null,
            5120,
            new Experts(512, 10, 512, 512, true, 0, 1, false, false, 1, 1),
            0,
            null);

    static final ModelSpec MINIMAX_M2 = new ModelSpec(
            "minimax_m2",
            "MiniMaxM2ForCausalLM",
            62,
            3072,
            200_064,
            196_608,
            1e-6,
            false,
            false,
            5e6,
            new GroupedQueryAttention(48, 8, 128, false, QueryKeyNorm.FULL, false),
            null,
            null,
            1536,
            new Experts(256, 8, 1536, 0, false, 0, 1, true, true, 1, 1),
            0,
            null);

    /** DeepSeek sparse attention. */
    static final ModelSpec GLM_5 = new ModelSpec(
            "glm_moe_dsa",
            "GlmMoeDsaForCausalLM",
            78,
            6144,
            154_880,
            202_752,
            1e-5,
            false,
            false,
            1e6,
            new LatentAttention(64, 2048, 512, 192, 64, 256),
            null,
            new Indexer(32, 128),
            12_288,
            new Experts(256, 8, 2048, 2048, false, 3, 2.5, true, true, 1, 1),
            1,
            null);

    private EngineModels() {}

    static ModelSpec glm47Flash(int heads, int mtpLayers, @Nullable Quantization quantization) {
        return new ModelSpec(
                "glm4_moe_lite",
                "Glm4MoeLiteForCausalLM",
                47,
                2048,
                154_880,
                202_752,
                1e-5,
                false,
                false,
                1e6,
                new LatentAttention(heads, 768, 512, 192, 64, 256),
                null,
                null,
                10_240,
                new Experts(64, 4, 1536, 1536, false, 1, 1.8, true, true, 1, 1),
                mtpLayers,
                quantization);
    }

    private static ModelSpec qwen3(
            String type,
            String architecture,
            int layers,
            int hidden,
            int groups,
            int dense,
            @Nullable Experts experts) {
        return new ModelSpec(
                type,
                architecture,
                layers,
                hidden,
                151_936,
                40_960,
                1e-6,
                experts == null,
                false,
                1e6,
                new GroupedQueryAttention(32, groups, 128, false, QueryKeyNorm.HEAD, false),
                null,
                null,
                dense,
                experts,
                0,
                null);
    }
}
