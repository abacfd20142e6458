package dev.sluice.cpu.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class ModelConfigTest {
    private ObjectNode released;

    @BeforeEach
    void readReleasedDialect() throws IOException {
        released = (ObjectNode) new ObjectMapper()
                .readTree(ParityFixtures.huggingFaceDirectory()
                        .resolve("config.json")
                        .toFile());
    }

    @Test
    void theReleasedDialectIsRead() {
        ModelConfig config = ModelConfig.of(released);

        assertThat(config)
                .isEqualTo(new ModelConfig(
                        300,
                        64,
                        3,
                        1,
                        new ModelConfig.Attention(4, 48, 32, 24, 8, 32, 1e6),
                        new ModelConfig.FeedForward(1, 160, 8, 2, 40, 1, 1.8, true),
                        new ModelConfig.Norms(1e-5, 1e-5),
                        512,
                        List.of(1, 2)));
    }

    @Test
    void theDialectOfTransformersSaysTheSame() {
        ObjectNode saved = released.deepCopy();
        saved.remove(List.of("rope_theta", "rope_scaling", "first_k_dense_replace"));
        saved.putObject("rope_parameters").put("rope_theta", 1_000_000).put("rope_type", "default");
        ArrayNode layers = saved.putArray("mlp_layer_types");
        layers.add("dense").add("sparse").add("sparse");

        assertThat(ModelConfig.of(saved)).isEqualTo(ModelConfig.of(released));
    }

    @Test
    void everythingThatIsMissingOrNotComputedIsNamedAtOnce() {
        released.remove("kv_lora_rank");
        released.put("tie_word_embeddings", true).put("n_group", 8).put("hidden_size", -1);

        assertThatThrownBy(() -> ModelConfig.of(released))
                .hasMessageContainingAll(
                        "kv_lora_rank is missing",
                        "tie_word_embeddings is true",
                        "n_group and topk_group must be 1",
                        "hidden_size is -1");
    }

    @Test
    void moreExpertsForATokenThanThereAreIsRefused() {
        released.put("num_experts_per_tok", 9);

        assertThatThrownBy(() -> ModelConfig.of(released))
                .hasMessageContaining("num_experts_per_tok is 9 but there are only 8 routed experts");
    }
}
