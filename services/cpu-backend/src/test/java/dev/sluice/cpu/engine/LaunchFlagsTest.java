package dev.sluice.cpu.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sluice.cpu.engine.LaunchFlags.UsageException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class LaunchFlagsTest {

    @Test
    void theCommandLineOfSlimesEightGpuRecipeIsUnderstood() {
        EngineOptions options = options("--model-path /m --tp-size 8 --dp-size=8 --enable-dp-attention --host 0.0.0.0"
                + " --port 15000 --mem-fraction-static 0.7 --cuda-graph-bs 1 2 4 8 16 --random-seed 42"
                + " --speculative-algorithm EAGLE --speculative-num-steps 2 --speculative-eagle-topk 1"
                + " --speculative-num-draft-tokens 3 --enable-metrics --skip-server-warmup --trust-remote-code");

        assertThat(options.draftSteps()).isEqualTo(2);
        assertThat(options.seed()).isEqualTo(42);
        assertThat(options.warmup()).isFalse();
        assertThat(options.maxRunning()).as("SGLang's value with speculation").isEqualTo(48);
        assertThat(options.flags())
                .containsEntry("tp_size", 8)
                .containsEntry("dp_size", 8)
                .containsEntry("enable_dp_attention", true)
                .containsEntry("mem_fraction_static", 0.7)
                .containsEntry("cuda_graph_bs_decode", List.of("1", "2", "4", "8", "16"));
    }

    @Test
    void defaultsAreThoseOfSglang() {
        EngineOptions options = options("--model /m");

        assertThat(options.host()).isEqualTo("127.0.0.1");
        assertThat(options.port()).isEqualTo(30000);
        assertThat(options.weightVersion()).isEqualTo("default");
        assertThat(options.draftSteps()).isZero();
        assertThat(options.apiKey()).isNull();
        assertThat(options.flags()).containsEntry("tp_size", 1).containsEntry("disaggregation_mode", "null");
    }

    @Test
    void theAlgorithmAloneChoosesThreeSteps() {
        assertThat(options("--model-path /m --speculative-algorithm NEXTN").draftSteps())
                .isEqualTo(3);
    }

    @Test
    void ranksShareLimitsWithDpAttentionAndHaveThemWholeWithout() {
        EngineOptions shared = options("--model-path /m --dp-size 4 --enable-dp-attention --max-running-requests 64");
        EngineOptions replicas = options("--model-path /m --dp 4 --max-running-requests 64");
        EngineOptions one = options("--model-path /m --enable-dp-attention --max-running-requests 64");

        assertThat(shared.rows()).isEqualTo(16);
        assertThat(replicas.rows()).isEqualTo(64);
        assertThat(replicas.dataParallel().ranks()).isEqualTo(4);
        assertThat(one.dataParallel()).isEqualTo(new DataParallel(1, false, DataParallel.Balance.ROUND_ROBIN));
    }

    @ParameterizedTest(name = "{0}")
    @CsvSource(delimiter = '|', textBlock = """
            --model-path /m --bogus 1                          | unrecognized arguments: --bogus
            --model-path /m --max-runing-requests 1            | unrecognized arguments: --max-runing-requests (did you mean --max-running-requests?)
            --port 1                                           | the following arguments are required: --model-path/--model
            --model-path /m --port x                           | argument --port: invalid int value: 'x'
            --model-path /m --port 60000                       | argument --port: must be 0 to 55535, got 60000
            --model-path                                       | argument --model-path: expected one argument
            --model-path /m --enable-metrics=yes               | argument --enable-metrics: ignored explicit argument 'yes'
            --model-path /m --dtype int8                       | argument --dtype: invalid choice: 'int8' (choose from auto, half, float16, bfloat16, float, float32)
            --model-path /m --dp-size 0                        | argument --dp-size: must be 1 to 64, got 0
            --model-path /m --load-balance-method fair         | argument --load-balance-method: invalid choice: 'fair'
            --model-path /m --speculative-use-rejection-sampling | argument --speculative-use-rejection-sampling: needs --speculative-algorithm EAGLE or NEXTN
            --model-path /m --speculative-accept-threshold-acc 0.9 | argument --speculative-accept-threshold-acc: this engine samples from the model's own law, which a threshold other than 1.0 would change
            --model-path /m --speculative-algorithm NGRAM      | argument --speculative-algorithm: this engine drafts with the model's own multi-token-prediction layer (EAGLE or NEXTN), got NGRAM
            """)
    void aCommandLineThatCannotBeUsedSaysWhy(String line, String message) {
        assertThatThrownBy(() -> options(line))
                .isInstanceOf(UsageException.class)
                .hasMessage(message);
    }

    @Test
    void aConfigFileGivesFlagsThatNobodySeesAndTheCommandLineCountsMore(@TempDir Path folder) throws IOException {
        Path file = Files.writeString(
                folder.resolve("flags.yaml"), "{\"api-key\": \"s3cret --x\", \"port\": 7, \"enable-metrics\": true}");

        LaunchFlags flags =
                LaunchFlags.parse(List.of("--model-path", "/m", "--config", file.toString(), "--port", "9"));

        assertThat(flags.text("api_key")).isEqualTo("s3cret --x");
        assertThat(flags.number("port")).isEqualTo(9);
        assertThat(flags.isSet("enable_metrics")).isTrue();
    }

    @Test
    void aConfigFileThatIsNotThereIsNamed() {
        assertThatThrownBy(() -> options("--model-path /m --config /none.yaml"))
                .isInstanceOf(UsageException.class)
                .hasMessageContaining("argument --config: /none.yaml cannot be read");
    }

    private static EngineOptions options(String line) {
        return EngineOptions.of(LaunchFlags.parse(List.of(line.split(" "))));
    }
}
