package dev.sluice.domain.model;

import org.jspecify.annotations.Nullable;

/**
 * The sizes of a decoder-only model, as its config.json says them. Symbols of the formulas in brackets.
 *
 * @param modelType config.json's {@code model_type}, such as {@code glm4_moe_lite}
 * @param architecture config.json's first architecture, such as {@code Glm4MoeLiteForCausalLM}
 * @param layers decoder layers without multi-token-prediction (MTP) layers [L]
 * @param hiddenSize width of the residual stream [H]
 * @param vocabularySize rows of the embedding, unpadded [V]
 * @param maxContextTokens longest sequence that the positions allow, prompt and response together
 * @param tiedEmbeddings whether the output layer is the embedding
 * @param postNorms whether a layer has norms behind attention and feed-forward too, as GLM-4 has
 * @param ropeTheta base of the rotary frequencies
 * @param linearAttention gated delta-net layers, absent where every layer has full attention
 * @param indexer DeepSeek sparse attention's indexer, absent where attention is dense
 * @param denseSize width of a dense feed-forward block [F]
 * @param experts absent in a dense model
 * @param mtpLayers MTP layers behind the decoder [X]
 * @param quantization how the checkpoint's weights are quantised, absent when they are not
 * @param rotary how positions turn queries and keys, besides the base
 */
public record ModelSpec(
        String modelType,
        String architecture,
        int layers,
        int hiddenSize,
        int vocabularySize,
        int maxContextTokens,
        double normEpsilon,
        boolean tiedEmbeddings,
        boolean postNorms,
        double ropeTheta,
        Attention attention,
        @Nullable LinearAttention linearAttention,
        @Nullable Indexer indexer,
        int denseSize,
        @Nullable Experts experts,
        int mtpLayers,
        @Nullable Quantization quantization,
        Rotary rotary) {

    /** Whole heads are turned, by halves, unscaled. */
    public ModelSpec(
            String modelType,
            String architecture,
            int layers,
            int hiddenSize,
            int vocabularySize,
            int maxContextTokens,
            double normEpsilon,
            boolean tiedEmbeddings,
            boolean postNorms,
            double ropeTheta,
            Attention attention,
            @Nullable LinearAttention linearAttention,
            @Nullable Indexer indexer,
            int denseSize,
            @Nullable Experts experts,
            int mtpLayers,
            @Nullable Quantization quantization) {
        this(
                modelType,
                architecture,
                layers,
                hiddenSize,
                vocabularySize,
                maxContextTokens,
                normEpsilon,
                tiedEmbeddings,
                postNorms,
                ropeTheta,
                attention,
                linearAttention,
                indexer,
                denseSize,
                experts,
                mtpLayers,
                quantization,
                Rotary.PLAIN);
    }

    /**
     * Rotary positions.
     *
     * @param fraction share of a head that is turned ({@code partial_rotary_factor}), 1 for all of it
     * @param interleaved whether even and odd dimensions form pairs, as in GLM-4; halves do otherwise. MLA's own
     *     interleaving is part of MLA and does not count
     * @param scaling how frequencies are stretched for longer contexts, absent where they are not
     */
    public record Rotary(
            double fraction, boolean interleaved, @Nullable RotaryScaling scaling) {
        public static final Rotary PLAIN = new Rotary(1, false, null);
    }

    /**
     * Stretched rotary frequencies ({@code rope_scaling}).
     *
     * @param factor how many times longer the context becomes
     * @param originalContextTokens context that the model was trained with first
     * @param magnitude YaRN's {@code mscale}
     * @param magnitudeOfAll YaRN's {@code mscale_all_dim}
     */
    public record RotaryScaling(
            Kind kind, double factor, int originalContextTokens, double magnitude, double magnitudeOfAll) {
        /** How frequencies are stretched. */
        public enum Kind {
            LINEAR,
            LLAMA3,
            YARN
        }
    }

    /** Full attention. */
    public sealed interface Attention {
        /** Query heads [A]. */
        int heads();
    }

    /** Where queries and keys are normalised. */
    public enum QueryKeyNorm {
        NONE,
        /** One weight of a head's size each, as in Qwen3. */
        HEAD,
        /** One weight over all heads each, as in MiniMax-M2. */
        FULL
    }

    /**
     * Grouped-query attention.
     *
     * @param groups key-value heads [G]
     * @param headSize width of a head [d]
     * @param queryKeyValueBias whether the query, key and value projections have a bias
     * @param outputGate whether queries carry a gate of their own size, as in Qwen3-Next
     */
    public record GroupedQueryAttention(
            int heads, int groups, int headSize, boolean queryKeyValueBias, QueryKeyNorm norm, boolean outputGate)
            implements Attention {}

    /**
     * Multi-head latent attention (MLA).
     *
     * @param queryRank width of the query's bottleneck, 0 where there is none [ql]
     * @param latentRank width of the latent that keys and values come from [kl]
     * @param plainHeadSize part of a query or key head without position [n]
     * @param rotaryHeadSize part that RoPE turns [r]
     * @param valueHeadSize width of a value head [v]
     * @see <a href="https://arxiv.org/abs/2405.04434">DeepSeek-V2, section 2.1</a>
     */
    public record LatentAttention(
            int heads, int queryRank, int latentRank, int plainHeadSize, int rotaryHeadSize, int valueHeadSize)
            implements Attention {}

    /**
     * Gated delta-net layers: all but every {@code interval}-th layer.
     *
     * @see <a href="https://arxiv.org/abs/2412.06464">Gated Delta Networks</a>
     */
    public record LinearAttention(
            int keyHeads, int valueHeads, int keyHeadSize, int valueHeadSize, int convolutionWidth, int interval) {}

    /**
     * The indexer of DeepSeek sparse attention (DSA).
     *
     * @param topTokens tokens that a query attends to ({@code index_topk})
     */
    public record Indexer(int heads, int headSize, int topTokens) {
        /** As in DeepSeek-V3.2 and GLM-5, whose queries attend to 2,048 tokens. */
        public Indexer(int heads, int headSize) {
            this(heads, headSize, 2048);
        }
    }

    /**
     * Routed and shared experts.
     *
     * @param count routed experts of a layer [E]
     * @param perToken experts a token passes through [k]
     * @param size width of a routed expert [Fm]
     * @param sharedSize width of all shared experts of a layer together, 0 where there is none [Fs]
     * @param sharedGated whether the shared expert has a gate of its own
     * @param denseLayers layers at the front with a dense block instead [D]
     * @param scale factor on the routed experts' weights
     * @param sigmoid whether scores are sigmoids; softmax otherwise
     * @param expertBias whether a frozen bias corrects the choice of experts
     * @param groups groups that experts are chosen from, 1 where there are none
     * @param groupsPerToken groups a token may use
     */
    public record Experts(
            int count,
            int perToken,
            int size,
            int sharedSize,
            boolean sharedGated,
            int denseLayers,
            double scale,
            boolean sigmoid,
            boolean expertBias,
            int groups,
            int groupsPerToken) {}

    /**
     * Quantised weights.
     *
     * @param method config.json's {@code quant_method}, such as {@code fp8} or {@code compressed-tensors}
     * @param weightBytes bytes a quantised weight takes, scales included
     * @param blockSize rows and columns that share a scale, 0 where scales lie otherwise
     */
    public record Quantization(String method, double weightBytes, int blockSize) {}

    /** Whether this layer, counted from 0, has routed experts. */
    public boolean sparse(int layer) {
        return experts != null && layer >= experts.denseLayers();
    }

    /** Whether this layer, counted from 0, is a gated delta-net layer. */
    public boolean linear(int layer) {
        return linearAttention != null && (layer + 1) % linearAttention.interval() != 0;
    }

    /** Whether attention is multi-head latent attention. */
    public boolean latent() {
        return attention instanceof LatentAttention;
    }

    /** Routed experts of a layer, 0 in a dense model. */
    public int expertCount() {
        return experts == null ? 0 : experts.count();
    }

    /** Layers with routed experts. */
    public int sparseLayers() {
        return experts == null ? 0 : layers - experts.denseLayers();
    }
}
