package dev.sluice.cpu.model;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.List;

/** Reads a config.json into a {@link ModelConfig} and collects every problem before it refuses. */
final class ConfigReader {
    private final JsonNode config;
    private final List<String> problems = new ArrayList<>();

    ConfigReader(JsonNode config) {
        this.config = config;
    }

    ModelConfig read() {
        refuseWhatIsNotComputed();
        int layers = size("num_hidden_layers");
        int mtpLayers = config.path("num_nextn_predict_layers").asInt(0);
        if (mtpLayers < 0 || mtpLayers > 1) {
            problems.add("num_nextn_predict_layers is " + mtpLayers + "; 0 or 1 is supported");
        }
        int vocabularySize = size("vocab_size");
        int hiddenSize = size("hidden_size");
        int maxPositions = size("max_position_embeddings");
        double epsilon = number("rms_norm_eps");
        int rotaryHeadSize = size("qk_rope_head_dim");
        int denseLayers = denseLayers(layers);
        ModelConfig.Attention attention = new ModelConfig.Attention(
                size("num_attention_heads"),
                size("q_lora_rank"),
                size("kv_lora_rank"),
                size("qk_nope_head_dim"),
                rotaryHeadSize,
                size("v_head_dim"),
                ropeTheta());
        ModelConfig.FeedForward feedForward = new ModelConfig.FeedForward(
                denseLayers,
                size("intermediate_size"),
                size("n_routed_experts"),
                size("num_experts_per_tok"),
                size("moe_intermediate_size"),
                config.path("n_shared_experts").asInt(1),
                config.path("routed_scaling_factor").asDouble(1.0),
                config.path("norm_topk_prob").asBoolean(true));
        if (!problems.isEmpty()) {
            throw new IllegalArgumentException("config.json cannot be used: " + String.join("; ", problems));
        }
        ModelConfig.Norms norms = new ModelConfig.Norms(epsilon, epsilon);
        return new ModelConfig(
                vocabularySize,
                hiddenSize,
                layers,
                mtpLayers,
                attention,
                feedForward,
                norms,
                maxPositions,
                endTokens());
    }

    private void refuseWhatIsNotComputed() {
        require("model_type", "glm4_moe_lite");
        require("hidden_act", "silu");
        require("scoring_func", "sigmoid");
        require("topk_method", "noaux_tc");
        requireFalse("tie_word_embeddings");
        requireFalse("attention_bias");
        if (config.path("n_group").asInt(1) != 1 || config.path("topk_group").asInt(1) != 1) {
            problems.add("n_group and topk_group must be 1 (routing over groups of experts is not computed)");
        }
        if (!config.path("rope_interleave").asBoolean(true)) {
            problems.add("rope_interleave is false; only interleaved RoPE is computed");
        }
        String ropeType = config.path("rope_parameters").path("rope_type").asText("default");
        if (!ropeType.equals("default") || config.path("rope_scaling").isObject()) {
            problems.add("RoPE scaling (" + ropeType + ") is not computed; remove rope_scaling");
        }
        if (config.path("partial_rotary_factor").asDouble(1.0) != 1.0) {
            problems.add("partial_rotary_factor must be 1.0");
        }
    }

    private int denseLayers(int layers) {
        JsonNode types = config.path("mlp_layer_types");
        if (!types.isArray()) {
            return config.path("first_k_dense_replace").asInt(1);
        }
        int dense = 0;
        while (dense < types.size() && types.get(dense).asText().equals("dense")) {
            dense++;
        }
        for (int i = dense; i < types.size(); i++) {
            if (!types.get(i).asText().equals("sparse")) {
                problems.add("mlp_layer_types[" + i + "] is " + types.get(i) + "; dense layers must come first");
            }
        }
        if (types.size() != layers) {
            problems.add("mlp_layer_types names " + types.size() + " layers but num_hidden_layers is " + layers);
        }
        return dense;
    }

    private double ropeTheta() {
        JsonNode nested = config.path("rope_parameters").path("rope_theta");
        return nested.isNumber() ? nested.asDouble() : config.path("rope_theta").asDouble(1_000_000);
    }

    private List<Integer> endTokens() {
        JsonNode node = config.path("eos_token_id");
        if (node.isInt()) {
            return List.of(node.asInt());
        }
        List<Integer> ids = new ArrayList<>();
        node.forEach(id -> ids.add(id.asInt()));
        return ids;
    }

    private int size(String key) {
        JsonNode node = config.path(key);
        if (!node.isInt() || node.asInt() <= 0) {
            problems.add(key + " is " + (node.isMissingNode() ? "missing" : node) + "; it must be a positive integer");
            return 2; // any value that the records accept, so that the other problems are found too
        }
        return node.asInt();
    }

    private double number(String key) {
        JsonNode node = config.path(key);
        if (!node.isNumber() || node.asDouble() <= 0) {
            problems.add(key + " is " + (node.isMissingNode() ? "missing" : node) + "; it must be a positive number");
            return 1;
        }
        return node.asDouble();
    }

    private void require(String key, String value) {
        String found = config.path(key).asText(value);
        if (!found.equals(value)) {
            problems.add(key + " is \"" + found + "\"; only \"" + value + "\" is supported");
        }
    }

    private void requireFalse(String key) {
        if (config.path(key).asBoolean(false)) {
            problems.add(key + " is true; only false is supported");
        }
    }
}
