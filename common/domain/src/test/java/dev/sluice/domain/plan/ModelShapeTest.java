package dev.sluice.domain.plan;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.node.ObjectNode;
import org.junit.jupiter.api.Test;

class ModelShapeTest {

    @Test
    void readsTheLayoutThatTransformersFiveWrites() {
        ObjectNode config = Shapes.tinyConfig().deepCopy();
        config.remove("rope_theta");
        config.remove("first_k_dense_replace");
        config.putObject("rope_parameters").put("rope_theta", 1e6);
        config.putArray("mlp_layer_types").add("dense").add("sparse").add("sparse");

        assertThat(Shapes.read(config)).isEqualTo(Shapes.tiny());
    }

    @Test
    void listsEverythingThatIsMissing() {
        ObjectNode config = Shapes.tinyConfig().deepCopy();
        config.remove("hidden_size");
        config.put("vocab_size", "many");
        config.put("num_experts_per_tok", 9);

        ModelShape.Reading reading = ModelShape.read(config);

        assertThat(reading.shape()).isNull();
        assertThat(reading.problems())
                .containsExactly(
                        "hidden_size is missing; a positive whole number is needed",
                        "vocab_size is \"many\"; a positive whole number is needed",
                        "num_experts_per_tok is 9 but n_routed_experts only 8");
    }

    @Test
    void refusesWhatNoBackendComputes() {
        ObjectNode config = Shapes.tinyConfig().deepCopy();
        config.put("tie_word_embeddings", true);
        config.put("attention_bias", true);
        config.put("n_group", 8);
        config.putObject("rope_scaling").put("factor", 4);

        assertThat(ModelShape.read(config).problems()).hasSize(4);
    }

    @Test
    void refusesAnotherFamily() {
        ObjectNode config = Shapes.tinyConfig().deepCopy();
        config.put("model_type", "llama");

        assertThat(ModelShape.read(config).problems())
                .containsExactly("model_type is \"llama\"; supported is glm4_moe_lite");
    }
}
