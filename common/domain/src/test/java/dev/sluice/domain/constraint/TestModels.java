package dev.sluice.domain.constraint;

import dev.sluice.domain.model.ModelSpec;
import dev.sluice.domain.model.ModelSpec.Attention;
import dev.sluice.domain.model.ModelSpec.Experts;
import dev.sluice.domain.model.ModelSpec.GroupedQueryAttention;
import dev.sluice.domain.model.ModelSpec.Quantization;
import dev.sluice.domain.model.ModelSpec.QueryKeyNorm;
import dev.sluice.domain.model.PublishedModels;
import org.jspecify.annotations.Nullable;

/** Models by their published config.json, and variants of them. */
public final class TestModels {
    /** 47 layers, 20 heads of latent attention, 64 experts. */
    public static final ModelSpec GLM_47_FLASH = published("GLM-4.7-Flash");

    /** Dense: 36 layers, 32 heads in 8 groups, tied embeddings. */
    public static final ModelSpec QWEN3_4B = published("Qwen3-4B");

    /** 48 layers, 32 heads in 4 groups, 128 experts, no shared one. */
    public static final ModelSpec QWEN3_30B = published("Qwen3-30B-A3B");

    /** Dense: 32 layers, of which 8 have full attention, and an MTP layer. */
    public static final ModelSpec QWEN35_9B = published("Qwen3.5-9B");

    /** 48 layers, of which 36 are gated delta-net with 16 key and 32 value heads. */
    public static final ModelSpec QWEN3_NEXT = published("Qwen3-Next-80B-A3B-Thinking");

    /** 78 layers of sparse attention, of which 1, 2, 3, 7, 11, ..., 75 compute the index. */
    public static final ModelSpec GLM_52 = published("GLM-5.2");

    private TestModels() {}

    public static ModelSpec published(String name) {
        return PublishedModels.named(name).orElseThrow();
    }

    /** The model with other experts. */
    public static ModelSpec with(ModelSpec model, Experts experts) {
        return copy(model, model.layers(), model.maxContextTokens(), model.attention(), experts);
    }

    /** The model with other layers. */
    public static ModelSpec withLayers(ModelSpec model, int layers) {
        return copy(model, layers, model.maxContextTokens(), model.attention(), model.experts());
    }

    /** The model with other positions. */
    public static ModelSpec withPositions(ModelSpec model, int maxContextTokens) {
        return copy(model, model.layers(), maxContextTokens, model.attention(), model.experts());
    }

    /** The model with other heads of grouped queries. */
    public static ModelSpec withHeads(ModelSpec model, int heads, int groups) {
        Attention attention = new GroupedQueryAttention(heads, groups, 128, false, QueryKeyNorm.HEAD, false);
        return copy(model, model.layers(), model.maxContextTokens(), attention, model.experts());
    }

    /** The model with other MTP layers. */
    public static ModelSpec withMtpLayers(ModelSpec model, int layers) {
        return copy(
                model,
                model.layers(),
                model.maxContextTokens(),
                model.attention(),
                model.experts(),
                layers,
                model.quantization());
    }

    /** The model with its weights quantised. */
    public static ModelSpec quantised(ModelSpec model, String method, double weightBytes, int blockSize) {
        return copy(
                model,
                model.layers(),
                model.maxContextTokens(),
                model.attention(),
                model.experts(),
                model.mtpLayers(),
                new Quantization(method, weightBytes, blockSize));
    }

    private static ModelSpec copy(
            ModelSpec model, int layers, int maxContextTokens, Attention attention, @Nullable Experts experts) {
        return copy(model, layers, maxContextTokens, attention, experts, model.mtpLayers(), model.quantization());
    }

    private static ModelSpec copy(
            ModelSpec model,
            int layers,
            int maxContextTokens,
            Attention attention,
            @Nullable Experts experts,
            int mtpLayers,
            @Nullable Quantization quantization) {
        return new ModelSpec(
                model.modelType(),
                model.architecture(),
                layers,
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
                mtpLayers,
                quantization,
                model.rotary());
    }
}
