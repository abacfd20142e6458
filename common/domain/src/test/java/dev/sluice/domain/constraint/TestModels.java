package dev.sluice.domain.constraint;

import dev.sluice.domain.model.ModelSpec;
import dev.sluice.domain.model.ModelSpec.Experts;
import dev.sluice.domain.model.ModelSpec.GroupedQueryAttention;
import dev.sluice.domain.model.ModelSpec.Indexer;
import dev.sluice.domain.model.ModelSpec.LatentAttention;
import dev.sluice.domain.model.ModelSpec.LinearAttention;
import dev.sluice.domain.model.ModelSpec.QueryKeyNorm;
import org.jspecify.annotations.Nullable;

/** Models by their published config.json. */
public final class TestModels {
    /** 47 layers, 20 heads of latent attention, 64 experts. */
    public static final ModelSpec GLM_47_FLASH = new ModelSpec(
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
            new LatentAttention(20, 768, 512, 192, 64, 256),
            null,
            null,
            10_240,
            new Experts(64, 4, 1536, 1536, false, 1, 1.8, true, true, 1, 1),
            1,
            null);

    /** Dense: 36 layers, 32 heads in 8 groups, tied embeddings. */
    public static final ModelSpec QWEN3_4B = new ModelSpec(
            "qwen3",
            "Qwen3ForCausalLM",
            36,
            2560,
            151_936,
            40_960,
            1e-6,
            true,
            false,
            1e6,
            new GroupedQueryAttention(32, 8, 128, false, QueryKeyNorm.HEAD, false),
            null,
            null,
            9728,
            null,
            0,
            null);

    /** 48 layers, 32 heads in 4 groups, 128 experts, no shared one. */
    public static final ModelSpec QWEN3_30B = new ModelSpec(
            "qwen3_moe",
            "Qwen3MoeForCausalLM",
            48,
            2048,
            151_936,
            40_960,
            1e-6,
            false,
            false,
            1e6,
            new GroupedQueryAttention(32, 4, 128, false, QueryKeyNorm.HEAD, false),
            null,
            null,
            6144,
            new Experts(128, 8, 768, 0, false, 0, 1, false, false, 1, 1),
            0,
            null);

    /** 48 layers, of which 36 are gated delta-net with 16 key and 32 value heads. */
    public static final ModelSpec QWEN3_NEXT = new ModelSpec(
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
            1,
            null);

    /** 78 layers of sparse attention, of which 1, 2, 3, 7, 11, ..., 75 compute the index. */
    public static final ModelSpec GLM_52 = new ModelSpec(
            "glm_moe_dsa",
            "GlmMoeDsaForCausalLM",
            78,
            6144,
            154_880,
            1_048_576,
            1e-5,
            false,
            false,
            1e6,
            new LatentAttention(64, 2048, 512, 192, 64, 256),
            null,
            new Indexer(32, 128, 2048, 4, 3),
            12_288,
            new Experts(256, 8, 2048, 2048, false, 3, 2.5, true, true, 1, 1),
            1,
            null);

    private TestModels() {}

    /** The model with other experts. */
    public static ModelSpec with(ModelSpec model, Experts experts) {
        return copy(model, model.maxContextTokens(), model.attention(), experts);
    }

    /** The model with other positions. */
    public static ModelSpec withPositions(ModelSpec model, int maxContextTokens) {
        return copy(model, maxContextTokens, model.attention(), model.experts());
    }

    /** The model with other heads of grouped queries. */
    public static ModelSpec withHeads(ModelSpec model, int heads, int groups) {
        return copy(
                model,
                model.maxContextTokens(),
                new GroupedQueryAttention(heads, groups, 128, false, QueryKeyNorm.HEAD, false),
                model.experts());
    }

    private static ModelSpec copy(
            ModelSpec model, int maxContextTokens, ModelSpec.Attention attention, @Nullable Experts experts) {
        return new ModelSpec(
                model.modelType(),
                model.architecture(),
                model.layers(),
                model.hiddenSize(),
                model.vocabularySize(),
                maxContextTokens,
                model.normEpsilon(),
                model.tiedEmbeddings(),
                model.postNorms(),
                model.ropeTheta(),
                attention,
                model.linearAttention(),
                model.indexer(),
                model.denseSize(),
                experts,
                model.mtpLayers(),
                model.quantization());
    }
}
