package dev.sluice.checkpoint;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/** {@code config.json} in the dialects of transformers 4 and 5. */
record ModelConfig(JsonNode json) {
    private static final Map<String, DType> TYPES =
            Map.of("bfloat16", DType.BF16, "float32", DType.F32, "float16", DType.F16);
    /** Far beyond any model, so that a plan cannot exhaust memory. */
    private static final long MAX_VALUE = 1L << 24;

    private static final long MAX_LAYERS = 1024;
    private static final long MAX_EXPERTS = 4096;
    /** In all layers together; DeepSeek V3 has 15,616. */
    private static final long MAX_EXPERTS_OF_MODEL = 1 << 16;

    /** A non-negative whole number: what the file says, or what the family or its attention implies. */
    long number(String key) {
        JsonNode value = json.path(key);
        if (value.isMissingNode() || value.isNull()) {
            OptionalLong implied = implied(key);
            if (implied.isPresent()) {
                return implied.getAsLong();
            }
        }
        if (!value.isIntegralNumber() || value.asLong() < 0 || value.asLong() > MAX_VALUE) {
            throw new CheckpointException("config.json: %s is %s; a whole number from 0 to %d is needed"
                    .formatted(key, value.isMissingNode() ? "missing" : value, MAX_VALUE));
        }
        return value.asLong();
    }

    private OptionalLong implied(String key) {
        if (key.equals("head_dim")) {
            long heads = number("num_attention_heads");
            return heads == 0 ? OptionalLong.empty() : OptionalLong.of(number("hidden_size") / heads);
        }
        if (key.equals("num_key_value_heads")) {
            return OptionalLong.of(number("num_attention_heads"));
        }
        if (key.equals("num_nextn_predict_layers")) {
            return OptionalLong.of(0);
        }
        Long value = names().defaults().get(key);
        return value == null ? OptionalLong.empty() : OptionalLong.of(value);
    }

    /** Whether a row's condition holds: no condition, a key that is set and neither false nor 0, or the opposite of such a key after an exclamation mark. */
    boolean meets(@Nullable String condition) {
        if (condition == null) {
            return true;
        }
        boolean negated = condition.startsWith("!");
        return isSet(negated ? condition.substring(1) : condition) != negated;
    }

    private boolean isSet(String key) {
        JsonNode value = json.path(key);
        if (value.isMissingNode() || value.isNull()) {
            return names().defaults().getOrDefault(key, 0L) != 0;
        }
        return value.isBoolean() ? value.asBoolean() : value.asLong(1) != 0;
    }

    /** The name map of this model's family. */
    ModelFamily names() {
        return ModelFamily.of(family());
    }

    String family() {
        return json.path("model_type").asText("");
    }

    int layers() {
        return (int) bounded("num_hidden_layers", MAX_LAYERS);
    }

    /** Routed experts; 0 in a dense model. */
    int experts() {
        String key = names().experts();
        if (key == null) {
            return 0;
        }
        long experts = bounded(key, MAX_EXPERTS);
        if (experts * layers() > MAX_EXPERTS_OF_MODEL) {
            throw new CheckpointException(
                    "config.json: %s is %d in each of %d layers; at most %d together are supported"
                            .formatted(key, experts, layers(), MAX_EXPERTS_OF_MODEL));
        }
        return (int) experts;
    }

    boolean latentAttention() {
        return names().has("self_attention.linear_kv_up_proj.weight", this);
    }

    int nextTokenLayers() {
        return names().nextTokenName() == null ? 0 : (int) bounded("num_nextn_predict_layers", 16);
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

    /**
     * Which layers have experts. transformers 5 lists them; released files count the dense ones at the front and may take only every so many of the
     * others, or name the dense ones.
     */
    List<Boolean> expertLayers() {
        List<Boolean> expert = new ArrayList<>();
        JsonNode types = json.path("mlp_layer_types");
        for (int layer = 0; layer < layers(); layer++) {
            expert.add(experts() > 0
                    && (types.isArray() ? types.path(layer).asText().equals("sparse") : hasExperts(layer)));
        }
        return expert;
    }

    private boolean hasExperts(int layer) {
        long everyOther = Math.max(1, json.path("moe_layer_freq").asLong(1));
        long step = Math.max(1, json.path("decoder_sparse_step").asLong(1));
        for (JsonNode dense : json.path("mlp_only_layers")) {
            if (dense.asInt(-1) == layer) {
                return false;
            }
        }
        return layer >= number("first_k_dense_replace") && layer % everyOther == 0 && (layer + 1) % step == 0;
    }

    /** Which share of a head is rotated. */
    double rotaryShare() {
        return json.has("partial_rotary_factor")
                ? json.path("partial_rotary_factor").asDouble()
                : json.path("rope_parameters").path("partial_rotary_factor").asDouble(1.0);
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
