package dev.sluice.cpu.model;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * The shape of a GLM-4.7-Flash-like model (Hugging Face {@code glm4_moe_lite}), as its config.json says it.
 *
 * <p>Both dialects are read: the released one ({@code rope_theta}, {@code first_k_dense_replace}) and the one that
 * transformers 5 writes ({@code rope_parameters}, {@code mlp_layer_types}). Values that would change the mathematics and
 * that {@link Model} does not compute (tied embeddings, grouped routing, scaled RoPE) are refused, all at once.
 *
 * @param layers decoder layers without the multi-token-prediction layer
 * @param mtpLayers 1 when a multi-token-prediction layer follows the decoder, else 0
 * @param endTokens ids that end a text
 */
public record ModelConfig(
        int vocabularySize,
        int hiddenSize,
        int layers,
        int mtpLayers,
        Attention attention,
        FeedForward feedForward,
        Norms norms,
        int maxPositions,
        List<Integer> endTokens) {

    /** The largest config.json that is read; the released one has about a thousand bytes. */
    private static final long MAX_CONFIG_BYTES = 1 << 20;

    public ModelConfig {
        endTokens = List.copyOf(endTokens);
        if (feedForward.denseLayers() > layers) {
            throw new IllegalArgumentException("first_k_dense_replace is " + feedForward.denseLayers()
                    + " but num_hidden_layers is " + layers + "; correct config.json");
        }
    }

    /**
     * Multi-head latent attention.
     *
     * @param queryRank width of the query's low-rank bottleneck
     * @param latentRank width of the latent that keys and values are expanded from
     * @param plainHeadSize part of each query and key head that carries no position
     * @param rotaryHeadSize part of each query head, and of the one key that all heads share, that RoPE turns; even
     * @param ropeTheta base of the RoPE frequencies
     */
    public record Attention(
            int heads,
            int queryRank,
            int latentRank,
            int plainHeadSize,
            int rotaryHeadSize,
            int valueHeadSize,
            double ropeTheta) {
        public Attention {
            if (rotaryHeadSize % 2 != 0) {
                throw new IllegalArgumentException(
                        "qk_rope_head_dim is " + rotaryHeadSize + "; RoPE turns pairs, so it must be even");
            }
        }

        /** Width of a query or key head: the plain part, then the rotary part. */
        public int queryHeadSize() {
            return plainHeadSize + rotaryHeadSize;
        }

        /** Floats that a cache keeps for one token of one layer: the normed latent, then the turned rotary key. */
        public int cacheWidth() {
            return latentRank + rotaryHeadSize;
        }

        /** Factor on the scores before the softmax. */
        public double scale() {
            return 1 / Math.sqrt(queryHeadSize());
        }
    }

    /**
     * Feed-forward parts: one dense block in the first layers, routed and shared experts in the others.
     *
     * @param denseLayers how many of the first layers are dense
     * @param expertsPerToken routed experts that each token is sent to
     * @param expertScale factor on the routed experts' weights after normalisation
     * @param normaliseWeights whether a token's expert weights are divided by their sum
     */
    public record FeedForward(
            int denseLayers,
            int denseSize,
            int experts,
            int expertsPerToken,
            int expertSize,
            int sharedExperts,
            double expertScale,
            boolean normaliseWeights) {
        public FeedForward {
            if (expertsPerToken > experts) {
                throw new IllegalArgumentException("num_experts_per_tok is " + expertsPerToken + " but there are only "
                        + experts + " routed experts; correct config.json");
            }
        }

        /** Width of the shared experts together. */
        public int sharedSize() {
            return sharedExperts * expertSize;
        }
    }

    /**
     * Epsilons of the RMS norms.
     *
     * @param latent of the norms of the query's bottleneck and of the latent: {@code rms_norm_eps} in Megatron and
     *     SGLang, 1e-6 in transformers
     * @param other of all other norms
     */
    public record Norms(double latent, double other) {}

    /**
     * Reads {@code config.json} of a Hugging Face model directory.
     *
     * @throws IllegalArgumentException naming every key that is missing or unsupported
     */
    public static ModelConfig read(Path modelDirectory) {
        Path file = modelDirectory.resolve("config.json");
        try {
            if (Files.size(file) > MAX_CONFIG_BYTES) {
                throw new IllegalArgumentException(
                        file + " has " + Files.size(file) + " bytes; a config.json has at most " + MAX_CONFIG_BYTES);
            }
            return of(new ObjectMapper().readTree(file.toFile()));
        } catch (IOException e) {
            throw new UncheckedIOException("cannot read " + file + ": " + e.getMessage(), e);
        }
    }

    /**
     * Takes the model's shape from the content of a config.json.
     *
     * @throws IllegalArgumentException naming every key that is missing or unsupported
     */
    public static ModelConfig of(JsonNode config) {
        return new ConfigReader(config).read();
    }

    /** Whether this layer's feed-forward part is experts; the multi-token-prediction layer's (the last) always is. */
    public boolean isSparse(int layer) {
        return layer >= feedForward.denseLayers();
    }

    /** The same model without its multi-token-prediction layer, for checkpoints that were written without one. */
    public ModelConfig withoutMtp() {
        return new ModelConfig(
                vocabularySize, hiddenSize, layers, 0, attention, feedForward, norms, maxPositions, endTokens);
    }

    /** The same model with another epsilon in the latent norms. */
    public ModelConfig withLatentNormEpsilon(double epsilon) {
        Norms changed = new Norms(epsilon, norms.other());
        return new ModelConfig(
                vocabularySize,
                hiddenSize,
                layers,
                mtpLayers,
                attention,
                feedForward,
                changed,
                maxPositions,
                endTokens);
    }
}
