package dev.sluice.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** The expected flags are those of slime's scripts/models for the models of each family, with the fixtures' numbers. */
class MegatronArgumentsTest {
    @Test
    void describesGroupedAttentionWithBiasesAndNorms() {
        assertThat(arguments("qwen2"))
                .containsEntry("group_query_attention", true)
                .containsEntry("num_query_groups", 2L)
                .containsEntry("kv_channels", 4L)
                .containsEntry("add_qkv_bias", true)
                .containsEntry("qk_layernorm", false)
                .containsEntry("multi_latent_attention", false)
                .containsEntry("untie_embeddings_and_output_weights", false)
                .containsEntry("padded_vocab_size", 128L)
                .doesNotContainKeys("kv_lora_rank", "num_experts", "moe_layer_freq");
        assertThat(arguments("qwen3"))
                .containsEntry("kv_channels", 8L)
                .containsEntry("add_qkv_bias", false)
                .containsEntry("qk_layernorm", true)
                .containsEntry("untie_embeddings_and_output_weights", true);
    }

    @Test
    void describesExpertsChosenBySoftmax() {
        assertThat(arguments("qwen3_moe"))
                .containsEntry("num_experts", 2)
                .containsEntry("moe_layer_freq", List.of(1, 1))
                .containsEntry("moe_router_score_function", "softmax")
                .containsEntry("moe_router_enable_expert_bias", false)
                .containsEntry("moe_router_topk_scaling_factor", 1.0)
                .containsEntry("moe_shared_expert_intermediate_size", null);
    }

    @Test
    void describesExpertsChosenBySigmoidWithABias() {
        assertThat(arguments("glm4_moe"))
                .containsEntry("moe_layer_freq", List.of(0, 1))
                .containsEntry("moe_router_score_function", "sigmoid")
                .containsEntry("moe_router_enable_expert_bias", true)
                .containsEntry("moe_router_topk_scaling_factor", 2.5)
                .containsEntry("moe_shared_expert_intermediate_size", 8L)
                .containsEntry("rotary_percent", 0.5)
                .containsEntry("add_qkv_bias", true)
                .containsEntry("qk_layernorm", true)
                .containsEntry("mtp_num_layers", 1);
    }

    @Test
    void describesLatentAttention() {
        assertThat(arguments("deepseek_v3"))
                .containsEntry("multi_latent_attention", true)
                .containsEntry("q_lora_rank", 24L)
                .containsEntry("kv_lora_rank", 16L)
                .containsEntry("qk_layernorm", true)
                .doesNotContainKeys("num_query_groups", "kv_channels", "add_qkv_bias");
    }

    @SuppressWarnings("unchecked")
    private static Map<String, Object> arguments(String family) {
        ModelConfig config = new ModelConfig(Json.file(Fixtures.FAMILIES.resolve(family + "/hf/config.json")));
        return (Map<String, Object>)
                MegatronArguments.commonState(config, true, 1).get("args");
    }
}
