package dev.sluice.checkpoint;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The common state that Megatron compares with its own arguments when it loads a checkpoint: plain numbers, texts and lists only, since newer versions
 * load it with {@code weights_only}.
 *
 * @see <a href="https://github.com/NVIDIA/Megatron-LM/blob/main/megatron/training/checkpointing.py">Megatron-LM, check_checkpoint_args</a>
 */
final class MegatronArguments {
    private MegatronArguments() {}

    static Map<String, Object> commonState(ModelConfig config, boolean nextTokenLayers, long iteration) {
        Map<String, Object> state = new LinkedHashMap<>();
        state.put("args", arguments(config, nextTokenLayers));
        state.put("checkpoint_version", 3.0);
        state.put("iteration", iteration);
        state.put("num_floating_point_operations_so_far", 0);
        // These two decide under which keys Megatron looks for experts and optimizer states.
        state.put("content_metadata", contentMetadata());
        return state;
    }

    private static Map<String, Object> contentMetadata() {
        Map<String, Object> metadata = new LinkedHashMap<>();
        metadata.put("singleton_local_shards", false);
        metadata.put("chained_optim_avoid_prefix", true);
        return metadata;
    }

    private static Map<String, Object> arguments(ModelConfig config, boolean nextTokenLayers) {
        Map<String, Object> arguments = new LinkedHashMap<>();
        model(arguments, config);
        if (config.experts() > 0) {
            experts(arguments, config);
        }
        arguments.put("mtp_num_layers", nextTokenLayers ? config.nextTokenLayers() : null);
        long multiple = ModelPlan.VOCABULARY_MULTIPLE;
        arguments.put("make_vocab_size_divisible_by", multiple);
        arguments.put("padded_vocab_size", Math.ceilDiv(config.number("vocab_size"), multiple) * multiple);
        for (String size : List.of(
                "tensor_model_parallel_size",
                "pipeline_model_parallel_size",
                "expert_model_parallel_size",
                "world_size",
                "data_parallel_size")) {
            arguments.put(size, 1);
        }
        for (String counter : List.of("consumed_train_samples", "skipped_train_samples", "consumed_valid_samples")) {
            arguments.put(counter, 0);
        }
        // Megatron must not look for an optimizer or random state of its own: ours lies under keys that only we read.
        arguments.put("no_save_optim", true);
        arguments.put("no_save_rng", true);
        arguments.put("use_distributed_optimizer", false);
        arguments.put("ckpt_format", "torch_dist");
        arguments.put("ckpt_fully_parallel_save", false);
        arguments.put("async_save", false);
        arguments.put("bf16", config.dtype() == DType.BF16);
        arguments.put("fp16", config.dtype() == DType.F16);
        return arguments;
    }

    private static void model(Map<String, Object> arguments, ModelConfig config) {
        arguments.put("num_layers", config.layers());
        arguments.put("hidden_size", config.number("hidden_size"));
        arguments.put("ffn_hidden_size", config.number("intermediate_size"));
        arguments.put("num_attention_heads", config.number("num_attention_heads"));
        arguments.put("add_position_embedding", false);
        arguments.put("position_embedding_type", "rope");
        arguments.put(
                "max_position_embeddings",
                config.json().path("max_position_embeddings").asLong(2048));
        arguments.put("rotary_base", (long) config.ropeTheta());
        arguments.put("rotary_percent", config.rotaryShare());
        arguments.put("rotary_interleaved", false);
        arguments.put("normalization", "RMSNorm");
        arguments.put("norm_epsilon", config.json().path("rms_norm_eps").asDouble(1e-5));
        arguments.put("swiglu", true);
        arguments.put("add_bias_linear", false);
        arguments.put("untie_embeddings_and_output_weights", !config.tied());
        arguments.put("multi_latent_attention", config.latentAttention());
        if (config.latentAttention()) {
            latentAttention(arguments, config);
        } else {
            groupedAttention(arguments, config);
        }
    }

    private static void groupedAttention(Map<String, Object> arguments, ModelConfig config) {
        arguments.put("group_query_attention", true);
        arguments.put("num_query_groups", config.number("num_key_value_heads"));
        arguments.put("kv_channels", config.number("head_dim"));
        arguments.put("add_qkv_bias", config.names().has("self_attention.linear_qkv.bias", config));
        arguments.put("qk_layernorm", config.names().has("self_attention.q_layernorm.weight", config));
    }

    private static void latentAttention(Map<String, Object> arguments, ModelConfig config) {
        arguments.put("q_lora_rank", config.meets("q_lora_rank") ? config.number("q_lora_rank") : null);
        arguments.put("kv_lora_rank", config.number("kv_lora_rank"));
        arguments.put("qk_head_dim", config.number("qk_nope_head_dim"));
        arguments.put("qk_pos_emb_head_dim", config.number("qk_rope_head_dim"));
        arguments.put("v_head_dim", config.number("v_head_dim"));
        arguments.put("qk_layernorm", true);
    }

    private static void experts(Map<String, Object> arguments, ModelConfig config) {
        arguments.put("num_experts", config.experts());
        arguments.put("moe_router_topk", config.number("num_experts_per_tok"));
        arguments.put("moe_ffn_hidden_size", config.number("moe_intermediate_size"));
        arguments.put(
                "moe_shared_expert_intermediate_size",
                config.meets("n_shared_experts")
                        ? config.number("moe_intermediate_size") * config.number("n_shared_experts")
                        : null);
        arguments.put(
                "moe_layer_freq",
                config.expertLayers().stream().map(expert -> expert ? 1 : 0).toList());
        arguments.put("moe_router_score_function", config.names().biasesRouter() ? "sigmoid" : "softmax");
        arguments.put("moe_router_enable_expert_bias", config.names().biasesRouter());
        arguments.put(
                "moe_router_topk_scaling_factor",
                config.json().path("routed_scaling_factor").asDouble(1.0));
    }
}
