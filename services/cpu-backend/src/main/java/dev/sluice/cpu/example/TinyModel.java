package dev.sluice.cpu.example;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;

/** The shape of the example model: every part of GLM-4.7-Flash, each as small as the task allows. */
final class TinyModel {
    static final int MAX_POSITIONS = 128;

    private TinyModel() {}

    /**
     * config.json in the dialect of the released model: one dense layer, two of eight experts with two a token, one
     * multi-token-prediction layer. Eight experts divide over 1, 2, 4 and 8 ranks.
     */
    static ObjectNode config(ObjectMapper json, CharacterTokenizer tokenizer) {
        ObjectNode config = json.createObjectNode();
        config.putArray("architectures").add("Glm4MoeLiteForCausalLM");
        return config.put("attention_bias", false)
                .put("attention_dropout", 0.0)
                .put("pad_token_id", CharacterTokenizer.PAD)
                .put("eos_token_id", CharacterTokenizer.END)
                .put("hidden_act", "silu")
                .put("hidden_size", 64)
                .put("intermediate_size", 192)
                .put("max_position_embeddings", MAX_POSITIONS)
                .put("model_type", "glm4_moe_lite")
                .put("moe_intermediate_size", 32)
                .put("topk_method", "noaux_tc")
                .put("norm_topk_prob", true)
                .put("num_attention_heads", 4)
                .put("n_group", 1)
                .put("topk_group", 1)
                .put("n_routed_experts", 8)
                .put("n_shared_experts", 1)
                .put("routed_scaling_factor", 1.8)
                .put("num_experts_per_tok", 2)
                .put("first_k_dense_replace", 1)
                .put("num_hidden_layers", 3)
                .put("num_key_value_heads", 4)
                .put("num_nextn_predict_layers", 1)
                .put("partial_rotary_factor", 1.0)
                .put("rms_norm_eps", 1e-5)
                .putNull("rope_scaling")
                .put("rope_theta", 1_000_000)
                .put("tie_word_embeddings", false)
                .put("dtype", "bfloat16")
                .put("transformers_version", "5.0.0rc0")
                .put("q_lora_rank", 48)
                .put("kv_lora_rank", 32)
                .put("qk_nope_head_dim", 24)
                .put("qk_rope_head_dim", 8)
                .put("v_head_dim", 32)
                .put("vocab_size", tokenizer.size());
    }

    /** generation_config.json: plain sampling, as in training. */
    static ObjectNode generationConfig(ObjectMapper json) {
        return json.createObjectNode()
                .put("_from_model_config", true)
                .put("do_sample", true)
                .put("temperature", 1.0)
                .put("top_p", 1.0)
                .put("eos_token_id", CharacterTokenizer.END)
                .put("pad_token_id", CharacterTokenizer.PAD)
                .put("transformers_version", "5.0.0rc0");
    }
}
