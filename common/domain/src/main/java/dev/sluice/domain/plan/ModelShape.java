package dev.sluice.domain.plan;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The sizes of a {@code glm4_moe_lite} model, as its config.json says them.
 *
 * @param layers decoder layers without the multi-token-prediction (MTP) layer
 * @param mtpLayers MTP layers behind the decoder, 0 or 1
 * @param maxContextTokens longest sequence that the positions allow, prompt and response together
 */
public record ModelShape(
        String modelType,
        int layers,
        int mtpLayers,
        int hiddenSize,
        int vocabularySize,
        int maxContextTokens,
        double normEpsilon,
        Attention attention,
        FeedForward feedForward) {

    /**
     * Multi-head latent attention.
     *
     * @param queryRank width of the query's bottleneck
     * @param latentRank width of the latent that keys and values come from
     * @param plainHeadSize part of a query or key head without position
     * @param rotaryHeadSize part that RoPE turns
     */
    public record Attention(
            int heads,
            int queryRank,
            int latentRank,
            int plainHeadSize,
            int rotaryHeadSize,
            int valueHeadSize,
            double ropeTheta) {}

    /**
     * Feed-forward parts.
     *
     * @param denseLayers layers at the front with one dense block; the others have experts
     * @param expertScale factor on the routed experts' weights
     */
    public record FeedForward(
            int denseLayers,
            int denseSize,
            int experts,
            int expertsPerToken,
            int expertSize,
            int sharedExperts,
            double expertScale) {}

    /**
     * What reading a config.json came to.
     *
     * @param shape absent when there are problems
     */
    public record Reading(@Nullable ModelShape shape, List<String> problems) {
        public Reading {
            problems = List.copyOf(problems);
        }
    }

    /** Reads the content of a config.json, of the released layout or of transformers 5's, and lists all problems. */
    public static Reading read(JsonNode config) {
        return new ModelShapeReader(config).read();
    }
}
