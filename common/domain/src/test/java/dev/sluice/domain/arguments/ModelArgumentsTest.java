package dev.sluice.domain.arguments;

import static dev.sluice.domain.arguments.FlagTexts.flags;
import static dev.sluice.domain.arguments.FlagTexts.only;
import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.domain.candidate.Candidate;
import dev.sluice.domain.candidate.Flags;
import dev.sluice.domain.candidate.Installed;
import dev.sluice.domain.candidate.TrainingSide.Layout;
import dev.sluice.domain.candidate.Version;
import dev.sluice.domain.model.ModelSpec;
import dev.sluice.domain.model.ModelSpec.GroupedQueryAttention;
import dev.sluice.domain.model.ModelSpec.QueryKeyNorm;
import dev.sluice.events.Problem;
import java.util.List;
import org.junit.jupiter.api.Test;

class ModelArgumentsTest {
    /** slime, scripts/models/qwen3-4B.sh, with the checkpoint's rotary base. */
    private static final String QWEN3_4B = """
            --swiglu --num-layers 36 --hidden-size 2560 --ffn-hidden-size 9728 --num-attention-heads 32
            --group-query-attention --num-query-groups 8 --use-rotary-position-embeddings --disable-bias-linear
            --normalization RMSNorm --norm-epsilon 1e-6 --rotary-base 1000000 --vocab-size 151936 --kv-channels 128
            --qk-layernorm
            """;

    /** slime, scripts/models/qwen3-30B-A3B.sh, its list of 48 ones written as a product. */
    private static final String QWEN3_30B_A3B = """
            --disable-bias-linear --qk-layernorm --group-query-attention --num-attention-heads 32
            --num-query-groups 4 --kv-channels 128 --num-layers 48 --hidden-size 2048 --ffn-hidden-size 6144
            --normalization RMSNorm --position-embedding-type rope --norm-epsilon 1e-6 --rotary-percent 1.0 --swiglu
            --untie-embeddings-and-output-weights --vocab-size 151936 --rotary-base 1000000
            --moe-ffn-hidden-size 768 --moe-router-score-function softmax --moe-token-dispatcher-type alltoall
            --moe-router-topk 8 --moe-layer-freq [1]*48 --num-experts 128 --moe-grouped-gemm
            --moe-token-drop-policy probs --moe-router-dtype fp32 --moe-permute-fusion --moe-aux-loss-coeff 0
            """;

    /** slime, scripts/models/glm4.5-355B-A32B.sh. */
    private static final String GLM_4_7_355B = """
            --disable-bias-linear --qk-layernorm --group-query-attention --num-attention-heads 96
            --num-query-groups 8 --kv-channels 128 --num-layers 92 --hidden-size 5120 --ffn-hidden-size 12288
            --add-qkv-bias --normalization RMSNorm --position-embedding-type rope --rotary-percent 0.5 --swiglu
            --untie-embeddings-and-output-weights --vocab-size 151552 --rotary-base 1000000
            --moe-ffn-hidden-size 1536 --moe-shared-expert-intermediate-size 1536 --moe-router-pre-softmax
            --moe-router-score-function sigmoid --moe-router-enable-expert-bias --moe-router-bias-update-rate 0
            --moe-router-load-balancing-type seq_aux_loss --moe-token-dispatcher-type alltoall --moe-router-topk 8
            --moe-router-topk-scaling-factor 2.5 --moe-layer-freq [0]*3+[1]*89 --num-experts 160 --moe-grouped-gemm
            --moe-router-dtype fp32 --moe-permute-fusion --moe-aux-loss-coeff 0
            """;

    /** slime, scripts/models/deepseek-v3.sh, its list of layers written as a sum. */
    private static final String DEEPSEEK_V3 = """
            --disable-bias-linear --num-layers 61 --hidden-size 7168 --ffn-hidden-size 18432 --num-attention-heads 128
            --kv-channels 128 --normalization RMSNorm --position-embedding-type rope --norm-epsilon 1e-6 --swiglu
            --untie-embeddings-and-output-weights --vocab-size 129280 --multi-latent-attention --q-lora-rank 1536
            --kv-lora-rank 512 --qk-head-dim 128 --qk-pos-emb-head-dim 64 --v-head-dim 128 --qk-layernorm
            --rotary-scaling-factor 40 --rotary-base 10000 --mscale 1.0 --mscale-all-dim 1.0
            --attention-softmax-in-fp32 --no-rope-fusion --num-experts 256 --moe-layer-freq [0]*3+[1]*58
            --moe-ffn-hidden-size 2048 --moe-router-topk 8 --moe-shared-expert-intermediate-size 2048
            --moe-router-pre-softmax --moe-router-score-function sigmoid --moe-router-enable-expert-bias
            --moe-router-load-balancing-type seq_aux_loss --moe-token-dispatcher-type alltoall --moe-aux-loss-coeff 0
            --moe-router-bias-update-rate 0 --moe-router-group-topk 4 --moe-router-num-groups 8 --moe-grouped-gemm
            --moe-router-topk-scaling-factor 2.5 --moe-router-dtype fp32 --moe-permute-fusion
            """;

    /** slime, scripts/models/qwen3-next-80B-A3B.sh, without the layers that its plug-in brings. */
    private static final String QWEN3_NEXT = """
            --disable-bias-linear --qk-layernorm --group-query-attention --num-attention-heads 16
            --num-query-groups 2 --kv-channels 256 --num-layers 48 --hidden-size 2048 --ffn-hidden-size 5120
            --normalization RMSNorm --apply-layernorm-1p --position-embedding-type rope --norm-epsilon 1e-6
            --rotary-percent 0.25 --swiglu --untie-embeddings-and-output-weights --vocab-size 151936
            --rotary-base 10000000 --moe-ffn-hidden-size 512 --moe-shared-expert-intermediate-size 512
            --moe-router-score-function softmax --moe-router-topk 10 --moe-layer-freq [1]*48 --num-experts 512
            --moe-grouped-gemm --moe-router-dtype fp32 --moe-permute-fusion --moe-aux-loss-coeff 0
            --attention-output-gate --moe-shared-expert-gate
            """;

    @Test
    void a_dense_model_with_tied_embeddings_agrees_with_slimes_list() {
        assertThat(only(flags(QWEN3_4B), list(Candidates.QWEN3_4B)))
                .containsExactly("--use-rotary-position-embeddings");
        assertThat(only(list(Candidates.QWEN3_4B), flags(QWEN3_4B)))
                .containsExactly(
                        "--make-vocab-size-divisible-by 64",
                        "--max-position-embeddings 40960",
                        "--position-embedding-type rope");
    }

    @Test
    void experts_without_shared_ones_agree_with_slimes_list() {
        assertThat(only(flags(QWEN3_30B_A3B), list(Candidates.QWEN3_30B_A3B)))
                .containsExactly(
                        "--moe-token-dispatcher-type alltoall",
                        "--moe-token-drop-policy probs",
                        "--rotary-percent 1.0");
        assertThat(only(list(Candidates.QWEN3_30B_A3B), flags(QWEN3_30B_A3B)))
                .containsExactly("--make-vocab-size-divisible-by 64", "--max-position-embeddings 40960");
    }

    @Test
    void dense_layers_in_front_biases_and_half_turned_heads_agree_with_slimes_list() {
        assertThat(only(flags(GLM_4_7_355B), list(Candidates.GLM_4_7_355B)))
                .containsExactly("--moe-token-dispatcher-type alltoall");
        assertThat(only(list(Candidates.GLM_4_7_355B), flags(GLM_4_7_355B)))
                .containsExactly(
                        "--make-vocab-size-divisible-by 64", "--max-position-embeddings 202752", "--norm-epsilon 1e-5");
    }

    @Test
    void groups_of_experts_and_stretched_positions_agree_with_slimes_list() {
        assertThat(only(flags(DEEPSEEK_V3), list(Candidates.DEEPSEEK_V3)))
                .containsExactly("--attention-softmax-in-fp32", "--moe-token-dispatcher-type alltoall");
        assertThat(only(list(Candidates.DEEPSEEK_V3), flags(DEEPSEEK_V3)))
                .containsExactly(
                        "--make-vocab-size-divisible-by 64", "--max-position-embeddings 163840", "--rope-type yarn");
    }

    @Test
    void delta_net_layers_are_told_by_Megatrons_own_flags() {
        assertThat(only(flags(QWEN3_NEXT), list(Candidates.QWEN3_NEXT_80B))).isEmpty();
        // transformer_config.py: one layer of full attention every N, gated_delta_net's sizes as in config.json.
        assertThat(only(flags("""
                --experimental-attention-variant gated_delta_net --linear-attention-freq 4 --linear-conv-kernel-dim 4
                --linear-num-key-heads 16 --linear-key-head-dim 128 --linear-num-value-heads 32
                --linear-value-head-dim 128"""), list(Candidates.QWEN3_NEXT_80B))).isEmpty();
    }

    @Test
    void the_vocabulary_is_padded_to_no_more_rows_than_its_shares_need() {
        // 154,880 = 64 * 2,420 = 32 * 4 * 1,210: shares of 4 ranks are whole with 64 rows, those of 8 ranks with 32.
        assertThat(list(Candidates.GLM_4_7_FLASH, 4).text("--make-vocab-size-divisible-by", ""))
                .isEqualTo("64");
        assertThat(list(Candidates.GLM_4_7_FLASH, 8).text("--make-vocab-size-divisible-by", ""))
                .isEqualTo("32");
    }

    @Test
    void what_flags_cannot_say_is_a_problem_unless_the_trainer_brings_the_layers() {
        ModelSpec glm4 = Candidates.with(Candidates.QWEN3_4B, false, true, null, Candidates.QWEN3_4B.attention());
        ModelSpec minimax = Candidates.with(
                Candidates.QWEN3_30B_A3B,
                false,
                false,
                null,
                new GroupedQueryAttention(48, 8, 128, false, QueryKeyNorm.FULL, false));

        assertThat(problems(glm4, "sluice@0.1", "0.19.1"))
                .singleElement()
                .satisfies(
                        problem -> assertThat(problem.message()).contains("norms behind attention and feed-forward"));
        assertThat(problems(minimax, "sluice@0.1", "0.19.1")).hasSize(1);
        assertThat(problems(minimax, "slime@2026-08-21", "0.19.1")).isEmpty();
        // gated_delta_net.py 0.17: "GDN does not support packed sequence for now."
        assertThat(problems(Candidates.QWEN3_NEXT_80B, "sluice@0.1", "0.17.1"))
                .extracting(Problem::mend)
                .containsExactly("install Megatron-Core 0.18 or newer");
        assertThat(problems(Candidates.QWEN3_NEXT_80B, "sluice@0.1", "0.18.0")).isEmpty();
    }

    private static List<Problem> problems(ModelSpec model, String trainer, String megatron) {
        Candidate candidate = Candidates.recipe()
                .with(model)
                .with(new Installed(new Version("0.5.15.post1"), new Version(megatron), trainer));
        return MegatronArguments.problems(candidate, Candidates.optimizer());
    }

    private static Flags list(ModelSpec model) {
        return list(model, 1);
    }

    private static Flags list(ModelSpec model, int tp) {
        FlagWriter list = new FlagWriter();
        Layout layout = new Layout(tp, 1, 1, 1, 1, null, null);
        ModelArguments.write(Candidates.recipe().with(model).with(Candidates.training(layout)), list);
        return list.flags();
    }
}
