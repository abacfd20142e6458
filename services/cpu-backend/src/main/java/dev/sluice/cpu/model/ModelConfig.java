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
 * @param denseLayers the first layers, whose feed-forward part is one dense block instead of experts
 * @param queryRank width of the query's low-rank bottleneck
 * @param latentRank width of the latent that keys and values are expanded from; with the rotary key it is what a cache holds
 * @param plainHeadSize part of each query and key head without position
 * @param rotaryHeadSize part of each query head, and of the one key shared by all heads, that RoPE turns
 * @param expertsPerToken routed experts that each token is sent to
 * @param expertScale factor on the routed experts' weights after they are normalised
 * @param normEpsilon epsilon of every RMS norm but the two latent ones
 * @param latentNormEpsilon epsilon of the norms of the query's bottleneck and of the latent: {@code rms_norm_eps} in Megatron
 *     and SGLang, 1e-6 in transformers
 * @param mtpLayers 1 when a multi-token-prediction layer follows the decoder, else 0
 */
public record ModelConfig(
        int vocabularySize,
        int hiddenSize,
        int layers,
        int denseLayers,
        int heads,
        int queryRank,
        int latentRank,
        int plainHeadSize,
        int rotaryHeadSize,
        int valueHeadSize,
        int denseFeedForwardSize,
        int expertFeedForwardSize,
        int experts,
        int expertsPerToken,
        int sharedExperts,
        double expertScale,
        boolean normaliseExpertWeights,
        double ropeTheta,
        double normEpsilon,
        double latentNormEpsilon,
        int mtpLayers,
        int maxPositions,
        List<Integer> endTokens) {

    /** The largest config.json that is read, in bytes; the released one has about a thousand. */
    private static final long MAX_CONFIG_BYTES = 1 << 20;

    public ModelConfig {
        endTokens = List.copyOf(endTokens);
        if (expertsPerToken > experts) {
            throw new IllegalArgumentException("num_experts_per_tok is " + expertsPerToken + " but there are only "
                    + experts + " routed experts; config.json must name at least as many n_routed_experts");
        }
        if (denseLayers > layers) {
            throw new IllegalArgumentException("first_k_dense_replace is " + denseLayers + " but num_hidden_layers is "
                    + layers + "; correct config.json");
        }
        if (rotaryHeadSize % 2 != 0) {
            throw new IllegalArgumentException(
                    "qk_rope_head_dim is " + rotaryHeadSize + "; RoPE turns pairs, so it must be even");
        }
    }

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

    /** Width of a query or key head: the plain part and the rotary part. */
    public int queryHeadSize() {
        return plainHeadSize + rotaryHeadSize;
    }

    /** Floats that a cache keeps for one token of one layer: the latent, then the turned rotary key. */
    public int cacheWidth() {
        return latentRank + rotaryHeadSize;
    }

    /** Factor on attention scores before the softmax. */
    public double attentionScale() {
        return 1 / Math.sqrt(queryHeadSize());
    }

    /** Whether this layer's feed-forward part is routed experts; the multi-token-prediction layer's always is. */
    public boolean isSparse(int layer) {
        return layer >= denseLayers;
    }

    /** The same model without its multi-token-prediction layer, for checkpoints that were written without one. */
    public ModelConfig withoutMtp() {
        return with(latentNormEpsilon, 0);
    }

    /** The same model with another epsilon in the latent norms. */
    public ModelConfig withLatentNormEpsilon(double epsilon) {
        return with(epsilon, mtpLayers);
    }

    private ModelConfig with(double newLatentNormEpsilon, int newMtpLayers) {
        return new ModelConfig(
                vocabularySize,
                hiddenSize,
                layers,
                denseLayers,
                heads,
                queryRank,
                latentRank,
                plainHeadSize,
                rotaryHeadSize,
                valueHeadSize,
                denseFeedForwardSize,
                expertFeedForwardSize,
                experts,
                expertsPerToken,
                sharedExperts,
                expertScale,
                normaliseExpertWeights,
                ropeTheta,
                normEpsilon,
                newLatentNormEpsilon,
                newMtpLayers,
                maxPositions,
                endTokens);
    }
}
