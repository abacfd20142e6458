package dev.sluice.checkpoint;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.WritableByteChannel;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;

/** A model with the widths of GLM-4.7-Flash and fewer layers; its numbers are random bits, which no disk compresses. */
final class SyntheticModel {
    private static final long HIDDEN = 2048;
    private static final long VOCABULARY = 154_880;
    private static final long DENSE = 10_240;
    private static final long EXPERT = 1_536;
    private static final int EXPERTS = 16;

    private final List<TensorSource> tensors = new ArrayList<>();
    private int layers;

    private SyntheticModel() {}

    /** Writes about so many bytes; one more layer of experts would exceed them. */
    static void write(Path directory, long bytes) {
        SyntheticModel model = new SyntheticModel();
        model.bf16("model.embed_tokens.weight", VOCABULARY, HIDDEN);
        model.bf16("lm_head.weight", VOCABULARY, HIDDEN);
        model.bf16("model.norm.weight", HIDDEN);
        model.dense();
        long before = model.bytes();
        model.experts();
        long layerBytes = model.bytes() - before;
        while (model.bytes() + layerBytes <= bytes) {
            model.experts();
        }
        HuggingFaceWriter.write(directory, model.config(), model.tensors, HuggingFaceWriter.DEFAULT_SHARD_BYTES);
    }

    private long bytes() {
        return tensors.stream().mapToLong(TensorSource::bytes).sum();
    }

    private void dense() {
        String prefix = layer();
        mlp(prefix + "mlp.", DENSE);
    }

    private void experts() {
        String prefix = layer() + "mlp.";
        bf16(prefix + "gate.weight", EXPERTS, HIDDEN);
        tensors.add(new RandomSource(prefix + "gate.e_score_correction_bias", DType.F32, List.of((long) EXPERTS)));
        mlp(prefix + "shared_experts.", EXPERT);
        for (int expert = 0; expert < EXPERTS; expert++) {
            mlp(prefix + "experts." + expert + ".", EXPERT);
        }
    }

    private String layer() {
        String prefix = "model.layers." + layers++ + ".";
        bf16(prefix + "input_layernorm.weight", HIDDEN);
        bf16(prefix + "post_attention_layernorm.weight", HIDDEN);
        bf16(prefix + "self_attn.q_a_proj.weight", 768, HIDDEN);
        bf16(prefix + "self_attn.q_a_layernorm.weight", 768);
        bf16(prefix + "self_attn.q_b_proj.weight", 5120, 768);
        bf16(prefix + "self_attn.kv_a_proj_with_mqa.weight", 576, HIDDEN);
        bf16(prefix + "self_attn.kv_a_layernorm.weight", 512);
        bf16(prefix + "self_attn.kv_b_proj.weight", 8960, 512);
        bf16(prefix + "self_attn.o_proj.weight", HIDDEN, 5120);
        return prefix;
    }

    private void mlp(String prefix, long width) {
        bf16(prefix + "gate_proj.weight", width, HIDDEN);
        bf16(prefix + "up_proj.weight", width, HIDDEN);
        bf16(prefix + "down_proj.weight", HIDDEN, width);
    }

    private void bf16(String name, long... shape) {
        List<Long> axes = java.util.Arrays.stream(shape).boxed().toList();
        tensors.add(new RandomSource(name, DType.BF16, axes));
    }

    /** Section 1 of the model's published configuration, layers and experts apart. */
    private ObjectNode config() {
        ObjectNode config = Json.MAPPER.createObjectNode();
        config.putArray("architectures").add("Glm4MoeLiteForCausalLM");
        config.put("model_type", "glm4_moe_lite").put("dtype", "bfloat16").put("hidden_act", "silu");
        config.put("hidden_size", HIDDEN).put("vocab_size", VOCABULARY).put("intermediate_size", DENSE);
        config.put("moe_intermediate_size", EXPERT).put("n_routed_experts", EXPERTS);
        config.put("num_experts_per_tok", 4).put("n_shared_experts", 1).put("first_k_dense_replace", 1);
        config.put("num_hidden_layers", layers).put("num_nextn_predict_layers", 0);
        config.put("num_attention_heads", 20).put("num_key_value_heads", 20);
        config.put("q_lora_rank", 768).put("kv_lora_rank", 512);
        config.put("qk_nope_head_dim", 192).put("qk_rope_head_dim", 64).put("v_head_dim", 256);
        config.put("routed_scaling_factor", 1.8).put("n_group", 1).put("topk_group", 1);
        config.put("norm_topk_prob", true).put("topk_method", "noaux_tc").put("scoring_func", "sigmoid");
        config.put("rope_theta", 1_000_000).put("partial_rotary_factor", 1.0).putNull("rope_scaling");
        config.put("rms_norm_eps", 1e-5).put("max_position_embeddings", 202_752);
        config.put("tie_word_embeddings", false).put("attention_bias", false);
        return config;
    }

    private record RandomSource(String name, DType dtype, List<Long> shape) implements TensorSource {
        private static final int WINDOW_BYTES = 1 << 20;

        @Override
        public void writeTo(WritableByteChannel out) throws IOException {
            SplittableRandom random = new SplittableRandom(name.hashCode());
            ByteBuffer window = ByteBuffer.allocate(WINDOW_BYTES).order(ByteOrder.LITTLE_ENDIAN);
            for (long left = bytes(); left > 0; left -= window.limit()) {
                window.clear();
                while (window.hasRemaining()) {
                    window.putLong(random.nextLong());
                }
                DurableFiles.writeFully(out, window.flip().limit((int) Math.min(left, WINDOW_BYTES)));
            }
        }
    }
}
