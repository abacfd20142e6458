package dev.sluice.domain.arguments;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.domain.candidate.Candidate;
import dev.sluice.domain.candidate.Cluster;
import dev.sluice.domain.candidate.EngineSide;
import dev.sluice.domain.candidate.EngineSide.Speculation;
import dev.sluice.domain.candidate.Flags;
import dev.sluice.domain.candidate.Gpu;
import dev.sluice.domain.candidate.TrainingSide.Layout;
import dev.sluice.events.Problem;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

class EnvironmentsTest {
    @Test
    void trainers_start_kernels_in_order_and_read_scales_as_engines_do() {
        // slime.md 2.3 (launch) and section 5 (trainer environment).
        assertThat(Environments.training(Candidates.recipe(), Map.of()))
                .containsExactly(
                        Map.entry("CUDA_DEVICE_MAX_CONNECTIONS", "1"),
                        Map.entry("NCCL_CUMEM_ENABLE", "0"),
                        Map.entry("NVTE_FP8_BLOCK_SCALING_FP32_SCALES", "1"),
                        Map.entry("PYTORCH_ALLOC_CONF", "expandable_segments:False"),
                        Map.entry("PYTORCH_CUDA_ALLOC_CONF", "expandable_segments:False"));
    }

    @Test
    void what_a_plan_sets_is_what_a_request_may_set_too() {
        Map<String, String> all = new TreeMap<>(Environments.training(Candidates.recipe(), Map.of()));
        all.putAll(Environments.engine(Candidates.recipe(), Map.of()));

        assertThat(EnvironmentNames.problems(all)).isEmpty();
    }

    @Test
    void Blackwell_needs_no_order_of_kernels() {
        Candidate candidate =
                Candidates.recipe().with(new Cluster(Gpu.B200_180, 8, 8, 8, true, 2048, 0, true, List.of()));

        assertThat(Environments.training(candidate, Map.of())).doesNotContainKey("CUDA_DEVICE_MAX_CONNECTIONS");
    }

    @Test
    void deterministic_training_has_the_three_variables_that_Megatron_asks_for() {
        Candidate candidate =
                Candidates.recipe().with(Candidates.recipe().training().with(Flags.NONE.with("--deterministic-mode")));

        // Rule M44 and megatron/training/determinism.py.
        assertThat(Environments.training(candidate, Map.of()))
                .containsEntry("NCCL_ALGO", "Ring")
                .containsEntry("NVTE_ALLOW_NONDETERMINISTIC_ALGO", "0")
                .containsEntry("CUBLAS_WORKSPACE_CONFIG", ":4096:8");
    }

    @Test
    void colocated_engines_keep_graphs_and_accept_what_trainers_leave() {
        // slime.md section 5, in the names of environ.py 0.5.15.
        assertThat(Environments.engine(Candidates.recipe(), Map.of()))
                .isEqualTo(new TreeMap<>(Map.of(
                        "PYTORCH_ALLOC_CONF", "expandable_segments:False",
                        "PYTORCH_CUDA_ALLOC_CONF", "expandable_segments:False",
                        "SGLANG_ENABLE_STRICT_MEM_CHECK_DURING_IDLE", "false",
                        "SGLANG_ENABLE_TP_MEMORY_INBALANCE_CHECK", "false",
                        "SGLANG_JIT_DEEPGEMM_FAST_WARMUP", "true",
                        "SGLANG_JIT_DEEPGEMM_PRECOMPILE", "false",
                        "SGLANG_MEMORY_SAVER_CUDA_GRAPH", "true")));
        assertThat(Environments.engine(Candidates.recipe().with(Candidates.installed("0.4.9", "0.19.1")), Map.of()))
                .isEqualTo(new TreeMap<>(Map.of(
                        "PYTORCH_ALLOC_CONF", "expandable_segments:False",
                        "PYTORCH_CUDA_ALLOC_CONF", "expandable_segments:False",
                        "SGL_DISABLE_TP_MEMORY_INBALANCE_CHECK", "true",
                        "SGL_JIT_DEEPGEMM_PRECOMPILE", "false")));
    }

    @Test
    void low_latency_dispatch_has_room_for_a_ranks_largest_batch() {
        // Rule S23: slime's GLM-5 scripts set 32 for 8 * 4 tokens and 64 for 12 * 5.
        assertThat(Environments.engine(deepEp(8, 3), Map.of()))
                .containsEntry("SGLANG_DEEPEP_NUM_MAX_DISPATCH_TOKENS_PER_RANK", "32");
        assertThat(Environments.engine(deepEp(12, 4), Map.of()))
                .containsEntry("SGLANG_DEEPEP_NUM_MAX_DISPATCH_TOKENS_PER_RANK", "64");
    }

    @Test
    void what_a_request_gives_goes_to_the_side_that_reads_it() {
        Map<String, String> given =
                Map.of("NCCL_IB_HCA", "mlx5_0:1", "NVTE_DEBUG", "1", "SGLANG_LOG_MS", "true", "NCCL_CUMEM_ENABLE", "1");

        assertThat(Environments.training(Candidates.recipe(), given))
                .containsEntry("NCCL_IB_HCA", "mlx5_0:1")
                .containsEntry("NCCL_CUMEM_ENABLE", "1")
                .containsKey("NVTE_DEBUG")
                .doesNotContainKey("SGLANG_LOG_MS");
        assertThat(Environments.engine(Candidates.recipe(), given))
                .containsKeys("NCCL_IB_HCA", "SGLANG_LOG_MS")
                .doesNotContainKey("NVTE_DEBUG");
    }

    @Test
    void unknown_variables_are_problems_with_the_nearest_known_one() {
        Map<String, String> given = Map.of("NCCL_IB_HCAS", "mlx5_0", "LD_PRELOAD", "x.so", "PYTHONPATH", "here");

        assertThat(EnvironmentNames.problems(given))
                .extracting(Problem::path, Problem::rule)
                .containsExactly(
                        org.assertj.core.groups.Tuple.tuple("cluster.environment.LD_PRELOAD", "cluster.environment"),
                        org.assertj.core.groups.Tuple.tuple("cluster.environment.NCCL_IB_HCAS", "cluster.environment"),
                        org.assertj.core.groups.Tuple.tuple("cluster.environment.PYTHONPATH", "cluster.environment"));
        assertThat(EnvironmentNames.problems(Map.of("NCCL_IB_HCAS", "mlx5_0")))
                .singleElement()
                .satisfies(problem -> assertThat(problem.message()).endsWith("; did you mean NCCL_IB_HCA?"));
    }

    @Test
    void no_value_names_a_file() {
        assertThat(EnvironmentNames.problems(Map.of("NCCL_DEBUG", "/tmp/log"))).hasSize(1);
        assertThat(EnvironmentNames.problems(Map.of("NCCL_SOCKET_IFNAME", "=eth0,^docker")))
                .isEmpty();
    }

    @Test
    void nothing_that_loads_code_or_files_is_on_the_list() {
        for (String name : List.of(
                "LD_PRELOAD",
                "LD_LIBRARY_PATH",
                "PATH",
                "PYTHONPATH",
                "PYTHONSTARTUP",
                "NCCL_NET_PLUGIN",
                "NCCL_TUNER_PLUGIN",
                "NCCL_TOPO_FILE",
                "NCCL_DEBUG_FILE",
                "NCCL_CONF_FILE",
                "SGLANG_PLUGINS",
                "TORCHINDUCTOR_CACHE_DIR",
                "HF_HOME",
                "HF_TOKEN",
                "CUDA_VISIBLE_DEVICES",
                "MASTER_ADDR")) {
            assertThat(EnvironmentNames.problems(Map.of(name, "1"))).as(name).hasSize(1);
        }
    }

    @Test
    void variables_that_the_candidate_cannot_run_with_are_problems() {
        Candidate tensorParallel = Candidates.recipe().with(Candidates.training(new Layout(2, 1, 1, 8, 1, null, null)));

        assertThat(Environments.problems(tensorParallel, Map.of("CUDA_DEVICE_MAX_CONNECTIONS", "8")))
                .hasSize(1);
        assertThat(Environments.problems(Candidates.recipe(), Map.of("CUDA_DEVICE_MAX_CONNECTIONS", "8")))
                .isEmpty();
        assertThat(Environments.problems(
                        Candidates.recipe(), Map.of("PYTORCH_CUDA_ALLOC_CONF", "expandable_segments:True")))
                .hasSize(1);
        assertThat(Environments.problems(deepEp(12, 4), Map.of("SGLANG_DEEPEP_NUM_MAX_DISPATCH_TOKENS_PER_RANK", "32")))
                .singleElement()
                .satisfies(problem -> assertThat(problem.message())
                        .isEqualTo("32 tokens are fewer than the 60 that a rank sends in one decoding step"));
    }

    private static Candidate deepEp(int graphs, int steps) {
        return Candidates.recipe()
                .with(new EngineSide(
                        8,
                        1,
                        8,
                        true,
                        true,
                        8,
                        0,
                        0.7,
                        graphs,
                        64,
                        8192,
                        1,
                        1,
                        "deepep",
                        "auto",
                        null,
                        false,
                        Speculation.eagle(steps),
                        2,
                        2,
                        Flags.NONE));
    }
}
