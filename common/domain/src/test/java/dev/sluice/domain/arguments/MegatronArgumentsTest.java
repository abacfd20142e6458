package dev.sluice.domain.arguments;

import static dev.sluice.domain.arguments.FlagTexts.flags;
import static dev.sluice.domain.arguments.FlagTexts.only;
import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.domain.candidate.Candidate;
import dev.sluice.domain.candidate.Flags;
import dev.sluice.domain.candidate.TrainingSide;
import dev.sluice.domain.candidate.TrainingSide.Dispatcher;
import dev.sluice.domain.candidate.TrainingSide.Layout;
import dev.sluice.domain.candidate.TrainingSide.Optimizer;
import dev.sluice.domain.candidate.TrainingSide.Recompute;
import org.junit.jupiter.api.Test;

class MegatronArgumentsTest {
    /** slime a2b16da56, run-glm4.7-30B-A3B-8gpus.sh: PERF, OPTIM and MISC without slime's own flags. */
    private static final String RECIPE = """
            --tensor-model-parallel-size 1 --pipeline-model-parallel-size 1 --context-parallel-size 1
            --expert-model-parallel-size 8 --expert-tensor-parallel-size 1
            --recompute-granularity full --recompute-method uniform --recompute-num-layers 1
            --optimizer adam --lr 1e-6 --lr-decay-style constant --weight-decay 0.1 --adam-beta1 0.9 --adam-beta2 0.98
            --optimizer-cpu-offload --overlap-cpu-optimizer-d2h-h2d --use-precision-aware-optimizer
            --attention-dropout 0.0 --hidden-dropout 0.0 --accumulate-allreduce-grads-in-fp32
            --attention-softmax-in-fp32 --attention-backend flash --moe-token-dispatcher-type alltoall
            """;

    /** slime, scripts/models/glm4.7-30B-A3B.sh. */
    static final String GLM_4_7_FLASH = """
            --moe-layer-freq [0]*1+[1]*46 --num-experts 64 --moe-shared-expert-intermediate-size 1536
            --moe-router-topk 4 --moe-grouped-gemm --moe-permute-fusion --moe-ffn-hidden-size 1536
            --moe-router-score-function sigmoid --moe-router-pre-softmax --moe-router-enable-expert-bias
            --moe-router-bias-update-rate 0 --moe-router-load-balancing-type seq_aux_loss
            --moe-router-topk-scaling-factor 1.8 --moe-aux-loss-coeff 0 --moe-router-dtype fp32
            --make-vocab-size-divisible-by 64 --num-layers 47 --hidden-size 2048 --ffn-hidden-size 10240
            --num-attention-heads 20 --disable-bias-linear --add-qkv-bias --swiglu
            --untie-embeddings-and-output-weights --position-embedding-type rope --no-position-embedding
            --normalization RMSNorm --qk-layernorm --multi-latent-attention --q-lora-rank 768 --kv-lora-rank 512
            --qk-head-dim 192 --v-head-dim 256 --kv-channels 192 --qk-pos-emb-head-dim 64
            --vocab-size 154880 --rotary-base 1000000 --no-rope-fusion
            """;

    @Test
    void the_recipe_of_GLM_4_7_Flash_comes_out_flag_by_flag() {
        Flags list = of(Candidates.recipe());

        // MLA has no bias to add, and Megatron deprecates the second way of saying rope.
        assertThat(only(flags(RECIPE + GLM_4_7_FLASH), list))
                .containsExactlyInAnyOrder("--add-qkv-bias", "--no-position-embedding");
        // What slime sets in code, and Megatron's defaults said aloud.
        assertThat(only(list, flags(RECIPE + GLM_4_7_FLASH)))
                .containsExactlyInAnyOrder(
                        "--use-distributed-optimizer",
                        "--bf16",
                        "--micro-batch-size 1",
                        "--seq-length 8192",
                        "--train-iters 3000",
                        "--max-position-embeddings 202752",
                        "--adam-eps 1e-8",
                        "--clip-grad 1",
                        "--norm-epsilon 1e-5",
                        "--rope-type rope");
    }

    @Test
    void layout_flags_come_first_and_further_flags_last() {
        Flags list = of(further("--overlap-grad-reduce"));

        assertThat(list.toArguments())
                .startsWith("--tensor-model-parallel-size", "1")
                .endsWith("--overlap-grad-reduce");
    }

    @Test
    void the_two_node_recipe_splits_47_layers_and_keeps_Adam_on_the_GPUs() {
        // slime 1c536cf11, run-glm4.7-30B-A3B.sh: TP 4, PP 2, CP 2, EP 8 on 16 GPUs, 24 + 23 layers.
        TrainingSide side = Candidates.training(new Layout(4, 2, 2, 8, 1, null, 23));
        Flags list = of(Candidates.recipe()
                .with(new TrainingSide(
                        side.layout(),
                        32_768,
                        true,
                        Recompute.FULL,
                        Optimizer.GPU,
                        Dispatcher.FLEX,
                        true,
                        false,
                        Flags.NONE)));

        assertThat(only(flags("""
                --tensor-model-parallel-size 4 --sequence-parallel --pipeline-model-parallel-size 2
                --context-parallel-size 2 --expert-model-parallel-size 8 --expert-tensor-parallel-size 1
                --decoder-last-pipeline-num-layers 23 --moe-token-dispatcher-type flex --moe-enable-deepep
                --use-distributed-optimizer"""), list)).isEmpty();
        assertThat(list.values().keySet())
                .doesNotContain(
                        "--optimizer-cpu-offload",
                        "--overlap-cpu-optimizer-d2h-h2d",
                        "--use-precision-aware-optimizer",
                        "--decoder-first-pipeline-num-layers");
    }

    @Test
    void sequence_parallelism_needs_tensor_parallelism_and_a_split_needs_stages() {
        Flags list = of(Candidates.recipe().with(Candidates.training(new Layout(1, 1, 1, 8, 1, 24, 23))));

        assertThat(list.values().keySet())
                .doesNotContain(
                        "--sequence-parallel",
                        "--decoder-first-pipeline-num-layers",
                        "--decoder-last-pipeline-num-layers");
    }

    @Test
    void part_of_Adam_in_host_memory_says_which_part() {
        TrainingSide side = Candidates.recipe().training();
        Flags list = of(Candidates.recipe()
                .with(new TrainingSide(
                        side.layout(),
                        8192,
                        false,
                        Recompute.SELECTIVE,
                        new Optimizer(0.5, false),
                        Dispatcher.ALLGATHER,
                        false,
                        false,
                        Flags.NONE)));

        // Rules M17, M22 and M30 of planner.md section 7.
        assertThat(only(flags("""
                --optimizer-cpu-offload --optimizer-offload-fraction 0.5 --use-precision-aware-optimizer
                --recompute-granularity selective --moe-token-dispatcher-type alltoall"""), list)).isEmpty();
        assertThat(list.values().keySet()).doesNotContain("--recompute-method", "--recompute-num-layers");
    }

    @Test
    void a_trained_MTP_layer_is_loaded_and_cut_off_from_the_policy_where_Megatron_can() {
        Candidate trained = mtpTrained(Candidates.recipe());
        Candidate older = trained.with(Candidates.installed("0.5.15.post1", "0.18.2"));

        // slime.md 1.13: only the MTP layer gets the MTP loss's gradient. transformer_config.py: the flag came with
        // 0.19.
        assertThat(only(flags("--mtp-num-layers 1 --mtp-loss-scaling-factor 0.2 --mtp-detach-heads"), of(trained)))
                .isEmpty();
        assertThat(of(older).values().keySet()).contains("--mtp-num-layers").doesNotContain("--mtp-detach-heads");
        assertThat(MegatronArguments.problems(older, Candidates.optimizer()))
                .singleElement()
                .satisfies(problem -> assertThat(problem.path()).isEqualTo("training.mtp.train"));
        assertThat(of(Candidates.recipe()).values().keySet()).noneMatch(name -> name.startsWith("--mtp"));
    }

    @Test
    void the_sequence_length_holds_the_longest_sample_in_pieces_that_context_parallelism_can_cut() {
        // Megatron's validate_args: seq_length % (2 * context_parallel_size) == 0, and at most max_position_embeddings.
        Candidate candidate = Candidates.recipe().with(Candidates.training(new Layout(4, 1, 3, 8, 1, null, null)));

        assertThat(of(candidate).number("--seq-length").orElseThrow() % 6).isZero();
        assertThat(of(candidate).number("--seq-length").orElseThrow()).isBetween(8192.0, 8192.0 + 24);
    }

    @Test
    void every_version_gets_flags_of_its_own_parser_only() {
        for (String version : new String[] {"0.16.1", "0.17.0", "0.18.1", "0.19.2", "0.20.0"}) {
            Candidate candidate = mtpTrained(Candidates.recipe()).with(Candidates.installed("0.5.15.post1", version));

            assertThat(MegatronFlags.unknown(
                            of(candidate), candidate.installed().megatron()))
                    .as(version)
                    .isEmpty();
        }
    }

    @Test
    void a_further_flag_may_replace_a_default_and_not_what_the_plan_computed_with() {
        Candidate candidate = Candidates.recipe()
                .with(Candidates.recipe()
                        .training()
                        .with(Flags.NONE
                                .with("--attention-backend", "fused")
                                .with("--hidden-size", "4096")
                                .with("--norm-epsilon", "0.00001")
                                .with("--use-gated-attention")));

        assertThat(of(candidate).text("--attention-backend", "")).isEqualTo("fused");
        assertThat(of(candidate).text("--hidden-size", "")).isEqualTo("2048");
        assertThat(MegatronArguments.problems(candidate, Candidates.optimizer()))
                .extracting(problem -> problem.path() + ": " + problem.message())
                .containsExactly(
                        "training.megatron.hidden-size: --hidden-size is 4096 here, and the plan gives it as 2048",
                        "training.megatron.use-gated-attention: Megatron-Core 0.19.1 has no flag --use-gated-attention");
    }

    private static Flags of(Candidate candidate) {
        return MegatronArguments.of(candidate, Candidates.optimizer());
    }

    private static Candidate further(String name, Object... value) {
        return Candidates.recipe().with(Candidates.recipe().training().with(Flags.NONE.with(name, value)));
    }

    private static Candidate mtpTrained(Candidate candidate) {
        TrainingSide side = candidate.training();
        return candidate.with(new TrainingSide(
                side.layout(),
                side.tokensPerGpu(),
                false,
                side.recompute(),
                side.optimizer(),
                side.dispatcher(),
                false,
                true,
                Flags.NONE));
    }
}
