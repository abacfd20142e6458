package dev.sluice.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.checkpoint.MegatronTensor.Box;
import dev.sluice.checkpoint.MegatronTensor.Cut;
import java.nio.charset.StandardCharsets;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Sizes of released models, from the shape-relevant part of their {@code config.json}. The expected counts are those that Megatron and the model cards
 * give, in millions, without the router's biases; that of a multi-token-prediction layer is without its copies of the embedding and the head.
 */
class PublishedModelsTest {
    private static final String QWEN3_4B = """
            {"model_type":"qwen3","vocab_size":151936,"hidden_size":2560,"num_hidden_layers":36,"num_attention_heads":32,"num_key_value_heads":8,
             "head_dim":128,"intermediate_size":9728,"tie_word_embeddings":true,"attention_bias":false}""";
    private static final String QWEN3_30B = """
            {"model_type":"qwen3_moe","vocab_size":151936,"hidden_size":2048,"num_hidden_layers":48,"num_attention_heads":32,"num_key_value_heads":4,
             "head_dim":128,"intermediate_size":6144,"moe_intermediate_size":768,"num_experts":128,"num_experts_per_tok":8,"decoder_sparse_step":1,
             "mlp_only_layers":[],"tie_word_embeddings":false}""";
    private static final String DEEPSEEK_V3 = """
            {"model_type":"deepseek_v3","vocab_size":129280,"hidden_size":7168,"num_hidden_layers":61,"num_attention_heads":128,"num_key_value_heads":128,
             "q_lora_rank":1536,"kv_lora_rank":512,"qk_nope_head_dim":128,"qk_rope_head_dim":64,"v_head_dim":128,"intermediate_size":18432,
             "moe_intermediate_size":2048,"n_routed_experts":256,"n_shared_experts":1,"num_experts_per_tok":8,"first_k_dense_replace":3,"moe_layer_freq":1,
             "num_nextn_predict_layers":1,"tie_word_embeddings":false}""";
    private static final String GLM_47 = """
            {"model_type":"glm4_moe","vocab_size":151552,"hidden_size":5120,"num_hidden_layers":92,"num_attention_heads":96,"num_key_value_heads":8,
             "head_dim":128,"intermediate_size":12288,"moe_intermediate_size":1536,"n_routed_experts":160,"n_shared_experts":1,"num_experts_per_tok":8,
             "first_k_dense_replace":3,"attention_bias":true,"use_qk_norm":true,"num_nextn_predict_layers":1,"tie_word_embeddings":false}""";
    private static final String MIMO = """
            {"model_type":"mimo","vocab_size":151680,"hidden_size":4096,"num_hidden_layers":36,"num_attention_heads":32,"num_key_value_heads":8,
             "head_dim":128,"intermediate_size":11008,"attention_bias":true,"num_nextn_predict_layers":1,"tie_word_embeddings":false}""";
    private static final String LLAMA_31_8B = """
            {"model_type":"llama","vocab_size":128256,"hidden_size":4096,"num_hidden_layers":32,"num_attention_heads":32,"num_key_value_heads":8,
             "intermediate_size":14336,"tie_word_embeddings":false,"attention_bias":false,"mlp_bias":false}""";
    private static final String MOONLIGHT = """
            {"model_type":"deepseek_v3","vocab_size":163840,"hidden_size":2048,"num_hidden_layers":27,"num_attention_heads":16,"q_lora_rank":null,
             "kv_lora_rank":512,"qk_nope_head_dim":128,"qk_rope_head_dim":64,"v_head_dim":128,"intermediate_size":11264,"moe_intermediate_size":1408,
             "n_routed_experts":64,"n_shared_experts":2,"num_experts_per_tok":6,"first_k_dense_replace":1,"num_nextn_predict_layers":0}""";
    private static final String KIMI_K2 = DEEPSEEK_V3
            .replace("deepseek_v3", "kimi_k2")
            .replace("129280", "163840")
            .replace("\"num_attention_heads\":128,\"num_key_value_heads\":128", "\"num_attention_heads\":64")
            .replace("\"n_routed_experts\":256", "\"n_routed_experts\":384")
            .replace("\"first_k_dense_replace\":3", "\"first_k_dense_replace\":1")
            .replace("\"num_nextn_predict_layers\":1", "\"num_nextn_predict_layers\":0");

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "Qwen3-4B|4022|0",
                "Qwen3-30B-A3B|30532|0",
                "DeepSeek-V3|671026|11610",
                "GLM-4.7-355B|352798|0",
                "MiMo-7B|7623|211",
                "Llama-3.1-8B|8030|0",
                "Moonlight|15960|0",
                "Kimi-K2|1026408|0"
            })
    void plansAsManyParametersAsTheModelHas(String name, long millions, long nextTokenMillions) {
        // Given
        ModelConfig config = config(name);

        // When
        long plain = parameters(ModelPlan.of(config, Naming.TRANSFORMER_ENGINE, false));
        long all = parameters(ModelPlan.of(config, Naming.UNIVERSAL, true));

        // Then
        assertThat(Math.round(plain / 1e6)).isEqualTo(millions);
        if (nextTokenMillions > 0) {
            assertThat((all - plain) / 1e6).isBetween(nextTokenMillions - 5.0, nextTokenMillions + 5.0);
        }
    }

    /** Megatron reads every chunk apart, so there must not be many more than tensors in the source. */
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {"Qwen3-4B", "Qwen3-30B-A3B", "DeepSeek-V3", "GLM-4.7-355B", "MiMo-7B", "Llama-3.1-8B"})
    void writesNoMoreChunksThanTheSourceHasTensors(String name) {
        // When
        ModelPlan plan = ModelPlan.of(config(name), Naming.TRANSFORMER_ENGINE, true);

        // Then
        long chunks = plan.tensors().stream().mapToLong(t -> t.parts().size()).sum();
        assertThat(chunks).isLessThanOrEqualTo(plan.dtypes(DType.BF16).size() + 1L);
    }

    private static ModelConfig config(String name) {
        String json = switch (name) {
            case "Qwen3-4B" -> QWEN3_4B;
            case "Qwen3-30B-A3B" -> QWEN3_30B;
            case "DeepSeek-V3" -> DEEPSEEK_V3;
            case "GLM-4.7-355B" -> GLM_47;
            case "MiMo-7B" -> MIMO;
            case "Llama-3.1-8B" -> LLAMA_31_8B;
            case "Moonlight" -> MOONLIGHT;
            case "Kimi-K2" -> KIMI_K2;
            default -> throw new IllegalArgumentException(name);
        };
        return new ModelConfig(Json.object(json.getBytes(StandardCharsets.UTF_8), "config.json"));
    }

    /** Elements of the Hugging Face tensors, each once, without the router's biases, which are not trained by gradients. */
    private static long parameters(ModelPlan plan) {
        Set<String> seen = new TreeSet<>();
        return plan.tensors().stream()
                .filter(tensor -> !tensor.float32())
                .flatMap(tensor -> tensor.boxes().stream())
                .map(Box::cut)
                .filter(cut -> seen.add(cut.name()))
                .map(Cut::shape)
                .mapToLong(Shape::elements)
                .sum();
    }
}
