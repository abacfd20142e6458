package dev.sluice.domain.plan;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.List;

/** Reads a config.json and goes on after a problem, so that all of them are told at once. */
final class ModelShapeReader {
    private static final String FAMILY = "glm4_moe_lite";
    private static final int LARGEST = 1 << 30;

    private final JsonNode config;
    private final List<String> problems = new ArrayList<>();

    ModelShapeReader(JsonNode config) {
        this.config = config;
    }

    ModelShape.Reading read() {
        String family = config.path("model_type").asText("");
        if (!family.equals(FAMILY)) {
            return new ModelShape.Reading(
                    null, List.of("model_type is \"%s\"; supported is %s".formatted(family, FAMILY)));
        }
        refuseWhatNoBackendComputes();
        int layers = size("num_hidden_layers");
        int mtpLayers = config.path("num_nextn_predict_layers").asInt(0);
        if (mtpLayers < 0 || mtpLayers > 1) {
            problems.add("num_nextn_predict_layers is %d; 0 or 1 is supported".formatted(mtpLayers));
        }
        ModelShape shape = new ModelShape(
                family,
                layers,
                mtpLayers,
                size("hidden_size"),
                size("vocab_size"),
                size("max_position_embeddings"),
                config.path("rms_norm_eps").asDouble(1e-5),
                attention(),
                feedForward(layers));
        return new ModelShape.Reading(problems.isEmpty() ? shape : null, problems);
    }

    /** Better refused here than by an engine that was started for it. */
    private void refuseWhatNoBackendComputes() {
        if (config.path("tie_word_embeddings").asBoolean(false)) {
            problems.add("tie_word_embeddings is true; this family has an output layer of its own");
        }
        if (config.path("attention_bias").asBoolean(false)) {
            problems.add("attention_bias is true; attention is computed without bias");
        }
        if (config.path("n_group").asInt(1) != 1 || config.path("topk_group").asInt(1) != 1) {
            problems.add("n_group and topk_group must be 1; routing over groups of experts is not computed");
        }
        String ropeType = config.path("rope_parameters").path("rope_type").asText("default");
        if (!ropeType.equals("default") || config.path("rope_scaling").isObject()) {
            problems.add("RoPE scaling is not computed; remove rope_scaling");
        }
    }

    private ModelShape.Attention attention() {
        JsonNode nested = config.path("rope_parameters").path("rope_theta");
        return new ModelShape.Attention(
                size("num_attention_heads"),
                size("q_lora_rank"),
                size("kv_lora_rank"),
                size("qk_nope_head_dim"),
                size("qk_rope_head_dim"),
                size("v_head_dim"),
                nested.isNumber()
                        ? nested.asDouble()
                        : config.path("rope_theta").asDouble(1e6));
    }

    private ModelShape.FeedForward feedForward(int layers) {
        int experts = size("n_routed_experts");
        int expertsPerToken = size("num_experts_per_tok");
        if (expertsPerToken > experts) {
            problems.add("num_experts_per_tok is %d but n_routed_experts only %d".formatted(expertsPerToken, experts));
        }
        int denseLayers = denseLayers();
        if (denseLayers > layers) {
            problems.add("%d dense layers do not fit into num_hidden_layers %d".formatted(denseLayers, layers));
        }
        return new ModelShape.FeedForward(
                denseLayers,
                size("intermediate_size"),
                experts,
                expertsPerToken,
                size("moe_intermediate_size"),
                config.path("n_shared_experts").asInt(1),
                config.path("routed_scaling_factor").asDouble(1.0));
    }

    /** transformers 5 names each layer's kind; the released layout counts the dense ones. */
    private int denseLayers() {
        JsonNode kinds = config.path("mlp_layer_types");
        return kinds.isArray()
                ? (int) kinds.valueStream()
                        .takeWhile(kind -> kind.asText().equals("dense"))
                        .count()
                : config.path("first_k_dense_replace").asInt(1);
    }

    private int size(String key) {
        JsonNode node = config.path(key);
        if (node.isInt() && node.asInt() > 0 && node.asInt() <= LARGEST) {
            return node.asInt();
        }
        problems.add(
                "%s is %s; a positive whole number is needed".formatted(key, node.isMissingNode() ? "missing" : node));
        return 1;
    }
}
