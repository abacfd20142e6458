package dev.sluice.domain.arguments;

import static dev.sluice.domain.arguments.FlagTexts.flags;
import static dev.sluice.domain.arguments.FlagTexts.only;
import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.domain.candidate.Candidate;
import dev.sluice.domain.candidate.Cluster;
import dev.sluice.domain.candidate.EngineSide;
import dev.sluice.domain.candidate.EngineSide.Speculation;
import dev.sluice.domain.candidate.Flags;
import dev.sluice.domain.candidate.Gpu;
import java.util.List;
import org.junit.jupiter.api.Test;

class SglangArgumentsTest {
    /** planner.md section 2.1, "Emit (SGLang server, native names)", without speculation. */
    private static final String RECIPE = """
            --tp-size 8 --dp-size 8 --enable-dp-attention --enable-dp-lm-head --moe-dense-tp-size 1
            --mem-fraction-static 0.7 --cuda-graph-max-bs 16 --max-running-requests 128
            --enable-memory-saver --trust-remote-code --skip-server-warmup
            """;

    private static final String EAGLE = """
            --speculative-algorithm EAGLE --speculative-num-steps 2 --speculative-eagle-topk 1
            --speculative-num-draft-tokens 3
            """;

    private static final Speculation TWO_STEPS = Speculation.eagle(2);

    @Test
    void the_recipe_comes_out_flag_by_flag_in_the_names_of_its_time() {
        Flags list = of(speculating("0.5.9"));

        assertThat(only(flags(RECIPE + EAGLE), list)).isEmpty();
        assertThat(only(list, flags(RECIPE + EAGLE)))
                .containsExactly("--enable-draft-weights-cpu-backup", "--enable-metrics", "--random-seed 42");
    }

    @Test
    void a_newer_version_gets_its_own_names_and_no_graphs_of_prefill() {
        Flags list = of(speculating("0.5.15.post1"));

        // server_args.py 0.5.14: --cuda-graph-max-bs is a deprecated alias; slime's sglang_engine.py turns prefill's
        // off.
        assertThat(only(flags(RECIPE + EAGLE), list)).containsExactly("--cuda-graph-max-bs 16");
        assertThat(only(list, flags(RECIPE + EAGLE)))
                .containsExactly(
                        "--cuda-graph-backend-prefill disabled",
                        "--cuda-graph-max-bs-decode 16",
                        "--enable-draft-weights-cpu-backup",
                        "--enable-metrics",
                        "--random-seed 42");
    }

    @Test
    void every_version_gets_flags_of_its_own_parser_only() {
        for (String version : List.of("0.4.9", "0.5.1", "0.5.5", "0.5.9", "0.5.12", "0.5.14", "0.5.18", "0.5.23")) {
            Candidate candidate = speculating(version);

            assertThat(SglangFlags.known(candidate.installed().sglang()))
                    .as(version)
                    .containsAll(of(candidate).values().keySet());
        }
    }

    @Test
    void one_replica_of_attention_needs_no_data_parallelism() {
        Candidate candidate = Candidates.recipe().with(Candidates.engine(4, 1, 4, 0.8, 64, 256, Speculation.OFF));

        assertThat(of(candidate).values().keySet())
                .contains("--tp-size", "--ep-size")
                .doesNotContain("--dp-size", "--enable-dp-attention", "--enable-dp-lm-head");
    }

    @Test
    void twenty_four_GPUs_are_one_engine_with_eight_redundant_experts() {
        EngineSide side = new EngineSide(
                24,
                1,
                24,
                true,
                true,
                3,
                8,
                0.7,
                64,
                0,
                0,
                1,
                1,
                "deepep",
                "auto",
                "dynamic",
                false,
                Speculation.OFF,
                2,
                2,
                Flags.NONE);
        Cluster threeNodes = new Cluster(Gpu.H100_80, 8, 8, 24, false, 2048, 0, true, List.of());

        Flags list = of(Candidates.recipe().with(threeNodes).with(side).with(Candidates.installed("0.5.9", "0.19.1")));

        // planner.md section 5, "Correct 24-GPU form (3 nodes of 8)"; DeepEP makes ep 24 whatever was asked for.
        assertThat(only(flags("""
                --tp-size 24 --ep-size 24 --dp-size 24 --enable-dp-attention --enable-dp-lm-head --moe-dense-tp-size 1
                --ep-num-redundant-experts 8 --moe-a2a-backend deepep --deepep-mode auto
                --ep-dispatch-algorithm dynamic --cuda-graph-max-bs 64 --nnodes 3"""), list)).isEmpty();
        assertThat(list.values().keySet())
                .doesNotContain("--enable-memory-saver", "--node-rank", "--dist-init-addr", "--max-running-requests");
    }

    @Test
    void speculation_always_says_how_many_samples_run_at_once() {
        Candidate candidate = Candidates.recipe().with(Candidates.engine(8, 8, 1, 0.7, 16, 0, TWO_STEPS));

        // SGLang would take 48, that is 6 a rank: 16 a rank are captured.
        assertThat(of(candidate).text("--max-running-requests", "")).isEqualTo("128");
    }

    @Test
    void what_is_as_SGLang_would_choose_it_is_not_said() {
        Flags list = of(Candidates.recipe());

        assertThat(list.values().keySet())
                .doesNotContain(
                        "--pp-size",
                        "--ep-size",
                        "--chunked-prefill-size",
                        "--page-size",
                        "--kv-cache-dtype",
                        "--context-length",
                        "--nnodes",
                        "--moe-a2a-backend",
                        "--enable-eplb");
        assertThat(SglangArguments.of(Candidates.recipe(), 24_576, 42).text("--context-length", ""))
                .isEqualTo("24576");
    }

    @Test
    void sizes_of_chunks_pages_and_cache_entries_are_said_where_they_differ() {
        EngineSide side = new EngineSide(
                8,
                2,
                2,
                true,
                false,
                1,
                0,
                0.7,
                0,
                0,
                4096,
                64,
                0,
                "none",
                "auto",
                null,
                true,
                Speculation.OFF,
                1.01,
                1,
                Flags.NONE);

        assertThat(only(flags("""
                --tp-size 4 --pp-size 2 --dp-size 2 --enable-dp-attention --chunked-prefill-size 4096 --page-size 64
                --kv-cache-dtype fp8_e4m3 --enable-eplb"""), of(Candidates.recipe().with(side)))).isEmpty();
    }

    @Test
    void linear_attention_keeps_states_that_rejected_drafts_can_be_taken_back_from() {
        Candidate older = speculating("0.5.9").with(Candidates.QWEN3_NEXT_80B);

        // slime's qwen3.5-27B script (rule S32); renamed in 0.5.14.
        assertThat(of(older).text("--mamba-scheduler-strategy", "")).isEqualTo("extra_buffer");
        assertThat(of(older.with(Candidates.installed("0.5.18", "0.19.1"))).text("--mamba-radix-cache-strategy", ""))
                .isEqualTo("extra_buffer");
    }

    @Test
    void further_flags_come_last_and_never_replace_the_layout() {
        EngineSide side = Candidates.engine()
                .with(Flags.NONE
                        .with("--schedule-policy", "lpm")
                        .with("--tp-size", 4)
                        .with("--cuda-graph-bs", 1, 2));

        Flags list = of(Candidates.recipe().with(side));

        assertThat(list.text("--tp-size", "")).isEqualTo("8");
        assertThat(list.toArguments()).endsWith("--schedule-policy", "lpm", "--cuda-graph-bs-decode", "1", "2");
    }

    @Test
    void a_long_seed_becomes_one_that_SGLang_takes() {
        assertThat(SglangArguments.of(Candidates.recipe(), 0, -1)
                        .number("--random-seed")
                        .orElseThrow())
                .isBetween(0.0, (double) Integer.MAX_VALUE);
    }

    private static Candidate speculating(String sglang) {
        return Candidates.recipe()
                .with(Candidates.engine(8, 8, 1, 0.7, 16, 128, TWO_STEPS))
                .with(Candidates.installed(sglang, "0.19.1"));
    }

    private static Flags of(Candidate candidate) {
        return SglangArguments.of(candidate, 0, 42);
    }
}
