package dev.sluice.domain.model;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.databind.node.TextNode;
import dev.sluice.domain.model.ModelSpec.GroupedQueryAttention;
import dev.sluice.domain.model.ModelSpec.LatentAttention;
import dev.sluice.domain.model.ModelSpec.LinearAttention;
import dev.sluice.domain.model.ModelSpec.Quantization;
import dev.sluice.domain.model.ModelSpec.QueryKeyNorm;
import dev.sluice.domain.model.ModelSpec.RopeScaling;
import dev.sluice.events.EventJson;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ModelSpecTest {

    @Test
    void readsTheLayoutThatTransformersFiveWrites() {
        ObjectNode config = Models.tinyConfig();
        config.remove(List.of("rope_theta", "first_k_dense_replace"));
        config.putObject("rope_parameters").put("rope_theta", 1e6).put("rope_type", "default");
        config.putArray("mlp_layer_types").add("dense").add("sparse").add("sparse");
        config.put("head_dim", 8).put("qk_head_dim", 32);

        assertThat(Models.read(config)).isEqualTo(Models.tiny());
    }

    @Test
    void listsEverythingThatIsMissing() {
        ObjectNode config = Models.tinyConfig();
        config.remove("hidden_size");
        config.put("vocab_size", "many");
        config.put("num_experts_per_tok", 9);

        ModelSpec.Reading reading = ModelSpec.read(config);

        assertThat(reading.spec()).isNull();
        assertThat(reading.problems())
                .containsExactlyInAnyOrder(
                        "hidden_size is missing; a positive whole number is needed",
                        "vocab_size is \"many\"; a positive whole number is needed",
                        "num_experts_per_tok is 9 but n_routed_experts only 8");
    }

    /** One row a mistake: the model, a key, its value as JSON, and what is said. */
    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', textBlock = """
            Qwen3-4B        | hidden_size               | -1                  | hidden_size is -1; a positive whole number
            Qwen3-4B        | hidden_size               | 2560.0              | hidden_size is 2560.0; a positive whole number
            Qwen3-4B        | hidden_size               | 4294967297          | hidden_size is 4294967297; at most 131072 is believed
            Qwen3-4B        | num_hidden_layers         | null                | num_hidden_layers is missing
            Qwen3-4B        | num_hidden_layers         | [36]                | num_hidden_layers is a list
            Qwen3-4B        | num_key_value_heads       | 5                   | 32 is not a multiple of num_key_value_heads 5
            Qwen3-4B        | rms_norm_eps              | 0                   | rms_norm_eps is 0; a number above 0
            Qwen3-4B        | tie_word_embeddings       | "yes"               | tie_word_embeddings is "yes"; true or false
            Qwen3-4B        | rope_scaling              | "yarn"              | rope_scaling is "yarn"; an object
            Qwen3-4B        | rope_scaling              | {"type": 4}         | type is 4; a text
            Qwen3-4B        | partial_rotary_factor     | 1.5                 | partial_rotary_factor is 1.5; at most 1
            Qwen3-4B        | quantization_config       | {"quant_method": "fp9"}  | quant_method is "fp9"; did you mean fp8?; known are awq,
            Qwen3-4B        | quantization_config       | {}                  | quant_method is missing
            Qwen3-30B-A3B   | mlp_only_layers           | [0.5]               | mlp_only_layers is not a list of layers
            Qwen3-30B-A3B   | decoder_sparse_step       | 0                   | decoder_sparse_step is 0; a positive whole number
            Qwen3-30B-A3B   | num_experts_per_tok       | 129                 | num_experts_per_tok is 129 but num_experts only 128
            GLM-4.7-Flash   | first_k_dense_replace     | 48                  | 48 dense layers do not fit into num_hidden_layers 47
            GLM-4.7-Flash   | mlp_layer_types           | ["dense"]           | mlp_layer_types names 1 layers but num_hidden_layers is 47
            GLM-4.7-Flash   | mlp_layer_types           | ["dense", "moe"]    | mlp_layer_types is not a list of
            GLM-4.7-Flash   | n_group                   | 7                   | 64 experts do not divide into n_group 7
            GLM-4.7-Flash   | scoring_func              | "sqrtsoftplus"      | scoring_func is "sqrtsoftplus"; sigmoid and softmax
            GLM-5.2         | q_lora_rank               | null                | the indexer reads the query's bottleneck
            MiniMax-M2      | rotary_dim                | 129                 | rotary_dim is 129 but head_dim only 128
            Llama-3.1-8B-Instruct | num_attention_heads | 24                  | head_dim is missing, and hidden_size 4096 over num_attention_heads 24
            Llama-3.1-8B-Instruct | mlp_bias            | true                | feed-forward blocks with a bias
            Qwen3-Next-80B-A3B-Thinking | linear_num_value_heads | 24         | 24 is not a multiple of linear_num_key_heads 16
            Qwen3-Next-80B-A3B-Thinking | layer_types   | ["full_attention"]  | layer_types names 1 layers but
            Qwen3-Next-80B-A3B-Thinking | layer_types   | ["linear_attention"] | layer_types does not repeat
            """)
    void saysWhatIsWrongWithAValue(String model, String key, String value, String message) throws Exception {
        ObjectNode config = Models.config(model);
        config.set(key, EventJson.mapper().readTree(value));

        ModelSpec.Reading reading = ModelSpec.read(config);

        assertThat(reading.spec()).isNull();
        assertThat(reading.problems()).anyMatch(problem -> problem.contains(message));
    }

    @Test
    void namesTheFamilyThatWasProbablyMeant() {
        ObjectNode config = Models.tinyConfig().put("model_type", "qwen3moe");

        assertThat(ModelSpec.read(config).problems())
                .singleElement()
                .asString()
                .startsWith("model_type is \"qwen3moe\"; did you mean qwen3_moe?; known are deepseek_v3, ");
    }

    @Test
    void refusesWhatIsNoObject() {
        assertThat(ModelSpec.read(TextNode.valueOf("{}")).problems())
                .containsExactly("config.json is \"{}\"; an object is needed");
    }

    @Test
    void refusesSizesWhoseProductNobodyBelieves() {
        ObjectNode config = Models.config("GLM-4.7-Flash");
        config.put("hidden_size", 131_072).put("moe_intermediate_size", 131_072).put("n_routed_experts", 8192);
        config.put("num_hidden_layers", 1024);

        assertThat(ModelSpec.read(config).problems())
                .singleElement()
                .asString()
                .endsWith(" parameters; at most 1000000000000000 are believed");
    }

    /** transformers: {@code (layer + 1) % decoder_sparse_step == 0 and layer not in mlp_only_layers}. */
    @Test
    void readsWhichLayersOfQwenAreDense() {
        ObjectNode config =
                Models.config("Qwen3-30B-A3B").put("num_hidden_layers", 8).put("decoder_sparse_step", 2);
        config.putArray("mlp_only_layers").add(5).add(70);

        ModelSpec model = Models.read(config);

        assertThat(List.of(0, 1, 2, 3, 4, 5, 6, 7)).filteredOn(model::sparse).containsExactly(1, 3, 7);
        assertThat(model.sparseLayers()).isEqualTo(3);
        assertThat(model.experts().denseLayers()).isEqualTo(1);
        assertThat(model.experts().denseBehind()).containsExactlyInAnyOrder(2, 4, 5, 6);
    }

    @Test
    void readsTheTextModelOutOfAMultimodalOne() {
        ModelSpec model = Models.published("Qwen3.5-9B");

        assertThat(model.modelType()).isEqualTo("qwen3_5");
        assertThat(model.architecture()).isEqualTo("Qwen3_5ForConditionalGeneration");
        assertThat(model.linearAttention()).isEqualTo(new LinearAttention(16, 32, 128, 128, 4, 4));
        assertThat(model.attention()).isEqualTo(new GroupedQueryAttention(16, 4, 256, false, QueryKeyNorm.HEAD, true));
        assertThat(model.mtpLayers()).isEqualTo(1);
        assertThat(model.ropeTheta()).isEqualTo(1e7);
        assertThat(model.rotary().fraction()).isEqualTo(0.25);
    }

    @Test
    void readsTheTextModelAloneToo() {
        ObjectNode text = (ObjectNode) Models.config("Qwen3.5-9B").get("text_config");

        assertThat(Models.read(text)).isEqualTo(Models.published("Qwen3.5-9B"));
    }

    @Test
    void readsAQueryWithoutBottleneck() {
        ModelSpec moonlight = Models.published("Moonlight-16B-A3B-Instruct");

        assertThat(moonlight.attention()).isEqualTo(new LatentAttention(16, 0, 512, 128, 64, 128));
        assertThat(moonlight.mtpLayers()).isZero();
    }

    @Test
    void takesMiniMaxM2UnderItsFirstModelTypeOnly() {
        ObjectNode config = Models.config("MiniMax-M2").put("model_type", "minimax");

        assertThat(Models.read(config)).isEqualTo(Models.published("MiniMax-M2"));
        config.putArray("architectures").add("MiniMaxText01ForCausalLM");
        assertThat(ModelSpec.read(config).problems()).singleElement().asString().contains("MiniMaxM2ForCausalLM only");
        assertThat(Models.published("MiniMax-M2").rotary().fraction()).isEqualTo(0.5);
    }

    @Test
    void readsHowPositionsAreStretched() {
        assertThat(Models.published("Kimi-K2-Thinking").rotary().scaling())
                .isEqualTo(new RopeScaling("yarn", 64, 4096, 1, 1));
        assertThat(Models.published("Llama-3.1-8B-Instruct").rotary().scaling())
                .isEqualTo(new RopeScaling("llama3", 8, 8192, 0, 0));
        assertThat(Models.published("Qwen3.5-9B").ropeScaled()).isFalse();
    }

    /**
     * Kimi-K2-Thinking: 4 bits and one bf16 scale for 32 weights, 1,014e9 of 1,026e9 weights, which makes its published
     * 594 GB. gpt-oss: MXFP4, one byte of scale for 32.
     */
    @Test
    void readsHowWeightsAreQuantised() {
        assertThat(Models.published("Kimi-K2-Thinking").quantization())
                .isEqualTo(new Quantization("compressed-tensors", 0.5625, 0));
        assertThat(Models.published("gpt-oss-20b").quantization()).isEqualTo(new Quantization("mxfp4", 0.53125, 0));
        assertThat(Models.published("Qwen3-4B-FP8").quantization()).isEqualTo(new Quantization("fp8", 1.01, 128));
        assertThat(Models.published("Qwen3-4B").quantization()).isNull();
    }
}
