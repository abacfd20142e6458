package dev.sluice.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import dev.sluice.checkpoint.HuggingFaceCheckpoint;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The whole way of a run with the packaged services: broker, planner, converter, rollout, trainer, dashboard. */
class DemoIT {
    /** Two engines with 128 samples of at most 8 tokens each. */
    private static final long MAX_TOKENS_IN_FLIGHT = 2 * 128 * 8;

    @TempDir
    private Path directory;

    @Test
    void aDemoOfFourStepsEndsByItselfWithAClosedLedgerAndReadableCheckpoints() throws Exception {
        try (DemoProcess demo = DemoProcess.start(directory, 4)) {
            assertThat(demo.exitCode()).as(demo::output).hasValue(ExitCode.OK);

            JsonNode report = demo.report();
            assertSucceeded(report, 4);
            assertThat(demo.tokensInEngineJournals())
                    .isEqualTo(report.path("tokensGenerated").asLong());
            assertThat(report.path("evalBefore").isNumber()).isTrue();
            assertThat(report.path("evalAfter").isNumber()).isTrue();
            assertThat(report.path("acceptLength").asDouble()).isGreaterThanOrEqualTo(1);
            assertThat(Path.of(report.at("/checkpoints/torchDist").asText())).isDirectory();
            HuggingFaceCheckpoint.open(
                            Path.of(report.at("/checkpoints/huggingFace").asText()))
                    .close();
        }
    }

    @Test
    void aRunOutlivesTheDeathOfARolloutInstanceAnEngineAndTheTrainer() throws Exception {
        int steps = 14;
        try (DemoProcess demo = DemoProcess.start(directory, steps);
                var reader = demo.followSteps()) {
            demo.awaitStep(2);
            demo.service("rollout-1").destroyForcibly();
            demo.awaitStep(5);
            assertThat(engineOf(demo.service("rollout-2")).destroyForcibly()).isTrue();
            demo.awaitStep(8);
            demo.service("trainer-1").destroyForcibly();

            assertThat(demo.exitCode()).as(demo::output).hasValue(ExitCode.OK);
            assertSucceeded(demo.report(), steps);
            assertThat(demo.tokensInEngineJournals()
                            - demo.report().path("tokensGenerated").asLong())
                    .as("tokens that died with the rollout instance, between the engine's journal and the log")
                    .isBetween(0L, MAX_TOKENS_IN_FLIGHT);
            assertThat(demo.stepsTrained())
                    .containsExactlyElementsOf(
                            IntStream.rangeClosed(1, steps).boxed().toList());
            assertThat(reader.failure()).isNull();
        }
    }

    @Test
    void aRolloutInstanceThatIsToldToStopLosesNoToken() throws Exception {
        int steps = 8;
        try (DemoProcess demo = DemoProcess.start(directory, steps);
                var reader = demo.followSteps()) {
            demo.awaitStep(2);
            demo.service("rollout-1").destroy();

            assertThat(demo.exitCode()).as(demo::output).hasValue(ExitCode.OK);
            assertSucceeded(demo.report(), steps);
            assertThat(demo.tokensInEngineJournals())
                    .isEqualTo(demo.report().path("tokensGenerated").asLong());
            assertThat(reader.failure()).isNull();
        }
    }

    @Test
    void twentyEngineDeathsCostNoSampleAndTrainNoneTwice() throws Exception {
        // One dies when the successor of the one before has sampled: after some 6 s, in which 8 steps are trained.
        int steps = 220;
        try (DemoProcess demo = DemoProcess.start(directory, steps, "--kill-engines", "20")) {
            assertThat(demo.exitCode()).as(demo::output).hasValue(ExitCode.OK);
            JsonNode report = demo.report();
            assertSucceeded(report, steps);
            assertThat(report.path("findings")).isEmpty();
            assertThat(report.at("/engineDeaths/killed").asInt())
                    .as(demo::output)
                    .isEqualTo(20);
            assertThat(report.at("/engineDeaths/followed").asInt()).isGreaterThanOrEqualTo(19);
            assertThat(report.at("/engineDeaths/medianSeconds").asDouble()).isLessThan(15);
        }
    }

    @Test
    void killingTheCommandLeavesNoProcessBehind() throws Exception {
        try (DemoProcess demo = DemoProcess.start(directory, 100);
                var reader = demo.followSteps()) {
            demo.awaitStep(1);
            List<ProcessHandle> family = demo.family();

            demo.kill();

            assertThat(family).hasSizeGreaterThan(8);
            await().atMost(Duration.ofSeconds(15))
                    .untilAsserted(() -> assertThat(family.stream()
                                    .filter(ProcessHandle::isAlive)
                                    .map(survivor -> survivor.info().commandLine()))
                            .isEmpty());
        }
    }

    private static ProcessHandle engineOf(ProcessHandle rollout) {
        return rollout.descendants()
                .filter(child -> child.info().commandLine().orElse("").contains("EngineMain"))
                .filter(child -> child.info().command().orElse("").endsWith("java"))
                .findFirst()
                .orElseThrow();
    }

    private static void assertSucceeded(JsonNode report, int steps) {
        assertThat(report.path("outcome").asText()).isEqualTo("succeeded");
        assertThat(report.path("steps").asInt()).isEqualTo(steps);
        long sum = 0;
        for (JsonNode bucket : report.path("tokens")) {
            assertThat(bucket.asLong()).isNotNegative();
            sum += bucket.asLong();
        }
        assertThat(report.at("/tokens/open").asLong()).isZero();
        assertThat(report.at("/tokens/trained").asLong()).isPositive();
        assertThat(report.path("tokensGenerated").asLong()).isEqualTo(sum);
    }
}
