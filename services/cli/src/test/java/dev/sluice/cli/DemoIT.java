package dev.sluice.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.sluice.checkpoint.HuggingFaceCheckpoint;
import dev.sluice.process.ChildCommand;
import dev.sluice.process.ChildProcess;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.OptionalInt;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The whole way of a run with the packaged services: broker, planner, converter, rollout, trainer, dashboard. */
class DemoIT {
    private static final Duration DEADLINE = Duration.ofMinutes(5);
    private static final int STEPS = 4;

    @TempDir
    private Path directory;

    @Test
    void aDemoOfFourStepsEndsByItselfWithAClosedLedgerAndReadableCheckpoints() throws Exception {
        Path log = directory.resolve("demo.log");
        ChildProcess demo = ChildProcess.start(ChildCommand.of(
                List.of(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-XX:TieredStopAtLevel=1",
                        "-Dsluice.root=" + System.getProperty("sluice.root"),
                        "-cp",
                        System.getProperty("java.class.path"),
                        "dev.sluice.cli.Main",
                        "demo",
                        "--steps",
                        Integer.toString(STEPS),
                        "--work-dir",
                        directory.resolve("work").toString()),
                directory,
                log));
        OptionalInt exitCode;
        try {
            exitCode = demo.exited().get(DEADLINE.toSeconds(), TimeUnit.SECONDS).code();
        } finally {
            demo.stop(Duration.ofSeconds(15));
        }

        assertThat(exitCode).as(() -> read(log)).hasValue(ExitCode.OK);
        JsonNode report = new ObjectMapper()
                .readTree(directory.resolve("work/report.json").toFile());
        assertThat(report.path("outcome").asText()).isEqualTo("succeeded");
        assertThat(report.path("steps").asInt()).isEqualTo(STEPS);
        assertLedgerIsClosed(report);
        assertThat(report.path("evalBefore").isNumber()).isTrue();
        assertThat(report.path("evalAfter").isNumber()).isTrue();
        assertThat(report.path("acceptLength").asDouble()).isGreaterThanOrEqualTo(1);
        assertThat(Path.of(report.at("/checkpoints/torchDist").asText())).isDirectory();
        HuggingFaceCheckpoint.open(Path.of(report.at("/checkpoints/huggingFace").asText()))
                .close();
    }

    private static void assertLedgerIsClosed(JsonNode report) {
        long sum = 0;
        for (JsonNode bucket : report.path("tokens")) {
            assertThat(bucket.asLong()).isNotNegative();
            sum += bucket.asLong();
        }
        assertThat(report.at("/tokens/open").asLong()).isZero();
        assertThat(report.at("/tokens/trained").asLong()).isPositive();
        assertThat(report.path("tokensGenerated").asLong()).isEqualTo(sum);
    }

    private static String read(Path log) {
        try {
            return Files.readString(log);
        } catch (IOException e) {
            return "no output: " + e;
        }
    }
}
