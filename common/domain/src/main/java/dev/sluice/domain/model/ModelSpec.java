package dev.sluice.domain.model;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.List;
import java.util.Set;
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

    /** A model whose RoPE turns whole heads and is not scaled. */
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
     * Rotary positions, besides their base.
     *
     * @param fraction part of a head that is turned, above 0 and at most 1
     * @param interleaved whether even and odd dimensions form pairs, as in GLM-4; halves do otherwise. MLA's own
     *     interleaving is part of MLA and does not count
     * @param scaling how positions are stretched beyond those of pre-training, absent where they are not
     */
    public record Rotary(
            double fraction, boolean interleaved, @Nullable RopeScaling scaling) {
        public static final Rotary PLAIN = new Rotary(1, false, null);
    }

    /**
     * What reading a config.json came to.
     *
     * @param spec absent when there are problems
     * @param problems everything that is wrong, empty when there is a spec
     */
    public record Reading(@Nullable ModelSpec spec, List<String> problems) {
        public Reading {
            problems = List.copyOf(problems);
        }
    }

    /**
     * Reads the content of a config.json, of the released layout or of transformers 5's, and lists all problems. Never
     * throws, whatever the document holds; sizes are bounded such that no count of parameters leaves a {@code long}.
     */
    public static Reading read(JsonNode config) {
        return SpecReader.read(config);
    }

    /** Full attention. */
    public sealed interface Attention {
        /** Query heads [A]. */
        int heads();

        /** Whether any of its projections has a bias. */
        boolean biased();
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
     * @param outputBias whether the output projection has a bias
     * @param sinks whether each head has a learned sink, as in gpt-oss
     */
    public record GroupedQueryAttention(
            int heads,
            int groups,
            int headSize,
            boolean queryKeyValueBias,
            QueryKeyNorm norm,
            boolean outputGate,
            boolean outputBias,
            boolean sinks)
            implements Attention {

        /** Attention without output bias and sinks. */
        public GroupedQueryAttention(
                int heads, int groups, int headSize, boolean queryKeyValueBias, QueryKeyNorm norm, boolean outputGate) {
            this(heads, groups, headSize, queryKeyValueBias, norm, outputGate, false, false);
        }

        @Override
        public boolean biased() {
            return queryKeyValueBias || outputBias;
        }
    }

    /**
     * Multi-head latent attention (MLA).
     *
     * @param queryRank width of the query's bottleneck, 0 where there is none [ql]
     * @param latentRank width of the latent that keys and values come from [kl]
     * @param plainHeadSize part of a query or key head without position [n]
     * @param rotaryHeadSize part that RoPE turns [r]
     * @param valueHeadSize width of a value head [v]
     * @param biased whether the projections into the bottlenecks and the output projection have a bias
     * @see <a href="https://arxiv.org/abs/2405.04434">DeepSeek-V2, section 2.1</a>
     */
    public record LatentAttention(
            int heads,
            int queryRank,
            int latentRank,
            int plainHeadSize,
            int rotaryHeadSize,
            int valueHeadSize,
            boolean biased)
            implements Attention {

        /** Attention without bias. */
        public LatentAttention(
                int heads, int queryRank, int latentRank, int plainHeadSize, int rotaryHeadSize, int valueHeadSize) {
            this(heads, queryRank, latentRank, plainHeadSize, rotaryHeadSize, valueHeadSize, false);
        }
    }

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
     * @param every of how many layers one computes the index that the others use again ({@code index_topk_freq}); 1
     *     where each computes its own
     * @param from the layer, counted from 1, up to which each computes its own ({@code index_skip_topk_offset})
     * @see <a href="https://arxiv.org/abs/2603.12201">IndexShare</a>
     */
    public record Indexer(int heads, int headSize, int topTokens, int every, int from) {
        /** Each layer computes its own index, of the 2,048 tokens of DeepSeek-V3.2 and GLM-5. */
        public Indexer(int heads, int headSize) {
            this(heads, headSize, 2048, 1, 1);
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
     * @param denseBehind layers behind those at the front, counted from 0, that have a dense block too
     * @param biased whether experts and router have biases, as in gpt-oss
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
            int groupsPerToken,
            Set<Integer> denseBehind,
            boolean biased) {
        public Experts {
            denseBehind = Set.copyOf(denseBehind);
        }

        /** Experts in every layer behind the dense ones at the front, without bias. */
        public Experts(
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
                int groupsPerToken) {
            this(
                    count,
                    perToken,
                    size,
                    sharedSize,
                    sharedGated,
                    denseLayers,
                    scale,
                    sigmoid,
                    expertBias,
                    groups,
                    groupsPerToken,
                    Set.of(),
                    false);
        }
    }

    /**
     * Quantised weights.
     *
     * @param method config.json's {@code quant_method}, such as {@code fp8} or {@code compressed-tensors}
     * @param weightBytes bytes a quantised weight takes, scales included
     * @param blockSize rows and columns that share a scale, 0 where scales lie otherwise
     */
    public record Quantization(String method, double weightBytes, int blockSize) {}

    /**
     * RoPE stretched beyond the positions of pre-training.
     *
     * @param type config.json's name, such as {@code yarn} or {@code llama3}
     * @param factor how far, 1 where it does not say
     * @param originalContextTokens positions of pre-training, 0 where it does not say
     * @param mscale YaRN's scale of attention, 0 where it does not say
     * @param mscaleAllDim YaRN's scale of attention over all of a head, 0 where it does not say
     */
    public record RopeScaling(
            String type, double factor, int originalContextTokens, double mscale, double mscaleAllDim) {}

    /** Whether this layer, counted from 0, has routed experts. */
    public boolean sparse(int layer) {
        return experts != null
                && layer >= experts.denseLayers()
                && !experts.denseBehind().contains(layer);
    }

    /** Whether this layer, counted from 0, is a gated delta-net layer. */
    public boolean linear(int layer) {
        return linearAttention != null && (layer + 1) % linearAttention.interval() != 0;
    }

    /** Whether attention is multi-head latent attention. */
    public boolean latent() {
        return attention instanceof LatentAttention;
    }

    /** Whether any projection of attention has a bias. */
    public boolean attentionBias() {
        return attention.biased();
    }

    /** Whether RoPE is stretched beyond the positions of pre-training. */
    public boolean ropeScaled() {
        return rotary.scaling() != null;
    }

    /** Routed experts of a layer, 0 in a dense model. */
    public int expertCount() {
        return experts == null ? 0 : experts.count();
    }

    /** Layers with routed experts. */
    public int sparseLayers() {
        return experts == null
                ? 0
                : layers - experts.denseLayers() - experts.denseBehind().size();
    }
}
