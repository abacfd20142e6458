package dev.sluice.domain.arguments;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.events.Problem;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class FurtherFlagsTest {
    @Test
    void true_is_a_flag_alone_false_is_none_and_spaces_separate_values() {
        FurtherFlags further = FurtherFlags.sglang(Map.of(
                "disable-radix-cache", "true",
                "enable-mixed-chunk", "false",
                "cuda-graph-bs", "1 2 4 8",
                "schedule-policy", "lpm"));

        assertThat(further.problems()).isEmpty();
        assertThat(further.flags().values())
                .isEqualTo(Map.of(
                        "--disable-radix-cache", List.of(),
                        "--cuda-graph-bs", List.of("1", "2", "4", "8"),
                        "--schedule-policy", List.of("lpm")));
    }

    @Test
    void an_unknown_flag_is_told_with_the_nearest_that_a_request_may_set() {
        assertThat(FurtherFlags.megatron(Map.of("overlap-grad-reduction", "true"))
                        .problems())
                .containsExactly(Problem.error(
                        "training.megatron",
                        "training.megatron.overlap-grad-reduction",
                        "overlap-grad-reduction is no flag of Megatron that is known here; did you mean overlap-grad-reduce?",
                        "remove it; names are written without leading dashes"));
    }

    @ParameterizedTest
    @CsvSource({
        "tensor-model-parallel-size, 2, training.layout.tp",
        "decoder-last-pipeline-num-layers, 23, training.layout.lastStageLayers",
        "optimizer-offload-fraction, 0.5, training.layout.cpuAdam",
        "lr, 1e-5, training.learningRate",
        "mtp-loss-scaling-factor, 0.1, training.mtp.lossScale"
    })
    void what_a_request_has_a_key_for_is_set_there(String flag, String value, String key) {
        FurtherFlags further = FurtherFlags.megatron(Map.of(flag, value));

        assertThat(further.flags().values()).isEmpty();
        assertThat(further.problems()).extracting(Problem::mend).containsExactly("set " + key);
    }

    @ParameterizedTest
    @CsvSource({
        "tp-size, rollout.layout.gpusPerEngine",
        "tensor-parallel-size, rollout.layout.gpusPerEngine",
        "mem-fraction-static, rollout.layout.memFractionStatic",
        "cuda-graph-max-bs, rollout.layout.cudaGraphMaxBatch",
        "speculative-num-steps, rollout.speculation.steps",
        "random-seed, data.seed"
    })
    void what_a_request_has_a_key_for_is_set_there_for_engines_too(String flag, String key) {
        assertThat(FurtherFlags.sglang(Map.of(flag, "2")).problems())
                .extracting(Problem::mend)
                .containsExactly("set " + key);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "host",
                "port",
                "nccl-port",
                "node-rank",
                "dist-init-addr",
                "api-key",
                "admin-api-key",
                "trust-remote-code",
                "load-format",
                "model-path",
                "tokenizer-path",
                "json-model-override-args",
                "config",
                "download-dir",
                "custom-weight-loader",
                "forward-hooks",
                "enable-custom-logit-processor",
                "chat-template",
                "warmups",
                "log-requests-target",
                "crash-dump-folder",
                "file-storage-path",
                "speculative-draft-model-path",
                "delete-ckpt-after-loading",
                "init-expert-location",
                "hicache-storage-backend",
                "tool-server",
                "export-metrics-to-file-dir",
                "ssl-keyfile",
                "debug-tensor-dump-output-folder",
                "weight-cache-socket"
            })
    void an_engine_takes_no_file_host_port_secret_or_code_from_a_request(String flag) {
        FurtherFlags further = FurtherFlags.sglang(Map.of(flag, "x"));

        assertThat(further.flags().values()).isEmpty();
        assertThat(further.problems()).singleElement().satisfies(problem -> {
            assertThat(problem.path()).isEqualTo("rollout.sglang." + flag);
            assertThat(problem.severity()).isEqualTo(Problem.Severity.ERROR);
        });
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "spec",
                "load",
                "save",
                "yaml-cfg",
                "data-path",
                "tokenizer-model",
                "trust-remote-code",
                "tensorboard-dir",
                "wandb-project",
                "fp8-quantizer-factory",
                "nccl-communicator-config-path",
                "custom-model-provider-path",
                "tp-comm-overlap-cfg",
                "use-checkpoint-args",
                "memory-snapshot-path",
                "num-layers",
                "hidden-dropout"
            })
    void a_trainer_takes_no_file_code_or_other_model_from_a_request(String flag) {
        FurtherFlags further = FurtherFlags.megatron(Map.of(flag, "x"));

        assertThat(further.flags().values()).isEmpty();
        assertThat(further.problems()).hasSize(1);
    }

    @Test
    void no_flag_that_a_request_may_set_is_named_after_a_file_or_an_address() {
        assertThat(List.of(SglangFlags.TABLE, MegatronFlags.TABLE))
                .allSatisfy(table -> assertThat(table.entries())
                        .filteredOn(entry -> entry.use() instanceof FlagUse.Free)
                        .isNotEmpty()
                        .noneMatch(entry -> entry.name()
                                .matches("(.*-)?(path|dir|file|folder|port|host|addr|url|key|endpoint|socket)s?")));
    }

    @ParameterizedTest
    @CsvSource({
        "disable-radix-cache, yes",
        "schedule-policy, true",
        "schedule-policy, lmp",
        "schedule-conservativeness, high",
        "chunked-prefill-size, 4096 8192",
        "chunked-prefill-size, 4k",
        "gc-threshold, true"
    })
    void a_value_of_the_wrong_kind_is_a_problem(String flag, String value) {
        FurtherFlags further = FurtherFlags.sglang(Map.of(flag, value));

        assertThat(further.flags().values()).isEmpty();
        assertThat(further.problems()).hasSize(1);
    }

    @Test
    void a_misspelt_choice_is_told_with_the_nearest() {
        assertThat(FurtherFlags.sglang(Map.of("schedule-policy", "fcsf")).problems())
                .singleElement()
                .satisfies(problem -> assertThat(problem.message()).endsWith("; did you mean fcfs?"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"core_attn --load", "/etc/passwd", "a;b", "$(id)", "--save", "{\"a\":1}", "~"})
    void a_value_smuggles_in_no_other_flag_and_no_path(String value) {
        FurtherFlags further = FurtherFlags.megatron(Map.of("recompute-modules", value));

        assertThat(further.flags().values()).isEmpty();
        assertThat(further.problems()).hasSize(1);
    }

    @Test
    void negative_numbers_and_patterns_are_values() {
        FurtherFlags further = FurtherFlags.megatron(Map.of(
                "recompute-modules", "core_attn mla_up_proj", "pipeline-model-parallel-layout", "Et*3|(tt|)*22m,L"));

        assertThat(further.problems()).isEmpty();
        assertThat(FurtherFlags.sglang(Map.of("chunked-prefill-size", "-1")).problems())
                .isEmpty();
    }
}
