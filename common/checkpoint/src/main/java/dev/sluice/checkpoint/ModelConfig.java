package dev.sluice.checkpoint;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** {@code config.json} in the dialects of transformers 4 and 5. */
record ModelConfig(JsonNode json) {
    private static final Map<String, DType> TYPES =
            Map.of("bfloat16", DType.BF16, "float32", DType.F32, "float16", DType.F16);
    /** Keys that released files may leave to transformers' defaults. */
    private static final Map<String, Long> DEFAULTS = Map.of("n_shared_experts", 1L, "num_nextn_predict_layers", 0L);
    /** Far beyond any model, so that a plan cannot exhaust memory. */
    private static final long MAX_VALUE = 1L << 24;

    private static final long MAX_LAYERS = 1024;
    private static final long MAX_EXPERTS = 4096;

    /** A non-negative whole number. */
    long number(String key) {
        JsonNode value = json.path(key);
        if (value.isMissingNode() && DEFAULTS.containsKey(key)) {
            return DEFAULTS.get(key);
        }
        if (!value.isIntegralNumber() || value.asLong() < 0 || value.asLong() > MAX_VALUE) {
            throw new CheckpointException("config.json: %s is %s; a whole number from 0 to %d is needed"
                    .formatted(key, value.isMissingNode() ? "missing" : value, MAX_VALUE));
        }
        return value.asLong();
    }

    String family() {
        return json.path("model_type").asText("");
    }

    int layers() {
        return (int) bounded("num_hidden_layers", MAX_LAYERS);
    }

    int experts() {
        return (int) bounded("n_routed_experts", MAX_EXPERTS);
    }

    int nextTokenLayers() {
        return (int) bounded("num_nextn_predict_layers", 16);
    }

    boolean tied() {
        return json.path("tie_word_embeddings").asBoolean(false);
    }

    /** The type of all weights but the router's bias. */
    DType dtype() {
        String name = json.path("dtype").asText(json.path("torch_dtype").asText("bfloat16"));
        DType dtype = TYPES.get(name);
        if (dtype == null) {
            throw new CheckpointException(
                    "config.json: dtype \"%s\" is not supported; use one of %s".formatted(name, TYPES.keySet()));
        }
        return dtype;
    }

    /** Which layers have experts; transformers 5 lists them, released files count the dense ones at the front. */
    List<Boolean> expertLayers() {
        List<Boolean> expert = new ArrayList<>();
        JsonNode types = json.path("mlp_layer_types");
        long dense = types.isArray() ? 0 : json.path("first_k_dense_replace").asLong(1);
        for (int layer = 0; layer < layers(); layer++) {
            expert.add(types.isArray() ? types.path(layer).asText().equals("sparse") : layer >= dense);
        }
        return expert;
    }

    double ropeTheta() {
        return json.has("rope_theta")
                ? json.path("rope_theta").asDouble()
                : json.path("rope_parameters").path("rope_theta").asDouble(10000);
    }

    /** The value of a sum of products of keys and whole numbers. */
    long dimension(String expression) {
        long sum = 0;
        for (String term : expression.split("\\+")) {
            long product = 1;
            for (String factor : term.split("\\*")) {
                product *= Character.isDigit(factor.charAt(0)) ? Long.parseLong(factor) : number(factor);
            }
            sum += product;
        }
        return sum;
    }

    private long bounded(String key, long max) {
        long value = number(key);
        if (value > max) {
            throw new CheckpointException("config.json: %s is %d; at most %d is supported".formatted(key, value, max));
        }
        return value;
    }
}
