package dev.sluice.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.sluice.cli.run.RunClient;
import dev.sluice.cli.run.RunFollower;
import dev.sluice.cli.run.RunPhase;
import dev.sluice.cli.run.RunProjection;
import dev.sluice.domain.ledger.Ledger;
import dev.sluice.process.PidFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Several runs at once on one set of packaged services: topics shared, state apart. */
class RunsBesideEachOtherIT {
    private static final Path TINY = Path.of(System.getProperty("sluice.root"), "deploy/examples/tiny");
    private static final Duration DEADLINE = Duration.ofMinutes(6);

    @TempDir
    private Path directory;

    /**
     * Given answers are learnt the same way whatever else goes on, so the run is compared with itself alone bit by bit; one
     * that samples is checked against the invariants of its log.
     */
    @Test
    void aRunThatFailsTouchesNeitherOneThatSamplesNorOneThatLearnsGivenAnswers() throws Exception {
        Map<String, String> environment = Map.of(
                "SLUICE_TRAINER_SLOTS", "3", "SLUICE_TRAINER_WORKER_RESTARTS", "0", "SLUICE_PLANNER_AGEING", "10m");
        try (UpProcess up = UpProcess.start(directory, 2, environment)) {
            // Given
            RunClient client = new RunClient(up.bootstrapServers());
            assertThat(up.run(lessons(), "--id", "alone", "--follow").exitCode())
                    .isEqualTo(ExitCode.OK);
            assertThat(sampling(up, "victim", 1000).exitCode()).isEqualTo(ExitCode.OK);
            assertThat(sampling(up, "survivor", 6).exitCode()).isEqualTo(ExitCode.OK);
            assertThat(up.run(lessons(), "--id", "beside").exitCode()).isEqualTo(ExitCode.OK);
            // When
            try (RunFollower victim = client.follow("victim")) {
                await().atMost(DEADLINE).pollInterval(Duration.ofMillis(500)).until(() -> {
                    worker("victim").ifPresent(ProcessHandle::destroyForcibly);
                    return isOver(victim);
                });
            }
            awaitEnd(client, "survivor");
            awaitEnd(client, "beside");
            // Then
            assertThat(client.read("victim").phase()).isEqualTo(RunPhase.FAILED);
            assertThat(client.read("victim").reason()).contains("without a step in between");
            RunProjection survivor = client.read("survivor");
            assertThat(survivor.phase()).isEqualTo(RunPhase.SUCCEEDED);
            Ledger ledger = survivor.ledger();
            assertThat(ledger.stepsTrained()).isEqualTo(6);
            assertThat(ledger.tokens().open()).isZero();
            assertThat(export("beside")).isEqualTo(export("alone"));
            assertThat(up.command("status").output()).containsPattern("beside +supervised +0 +succeeded");
        }
    }

    /** Kills trainer and worker, so that the cut is loaded and what was formed after it is trained again. */
    @Test
    void aRunOfGivenAnswersThatIsKilledEndsWithTheSameWeightsAndItsLossFalls() throws Exception {
        try (UpProcess up = UpProcess.start(directory)) {
            // Given
            RunClient client = new RunClient(up.bootstrapServers());
            assertThat(up.run(lessons(), "--id", "alone", "--follow").exitCode())
                    .isEqualTo(ExitCode.OK);
            assertThat(up.run(lessons(), "--id", "killed").exitCode()).isEqualTo(ExitCode.OK);
            try (RunFollower run = client.follow("killed")) {
                await().atMost(DEADLINE)
                        .pollInterval(Duration.ofMillis(100))
                        .until(() -> run.look(killed -> killed.ledger().stepsTrained()) >= 8);
            }
            // When
            up.service("trainer-1").destroyForcibly();
            worker("killed").ifPresent(ProcessHandle::destroyForcibly);
            awaitEnd(client, "killed");
            // Then
            RunProjection killed = client.read("killed");
            assertThat(killed.phase()).as(killed.reason()).isEqualTo(RunPhase.SUCCEEDED);
            assertThat(export("killed")).isEqualTo(export("alone"));
            assertThat(killed.evaluations().getLast().meanReward())
                    .as("mean log-probability of a held-out answer's token")
                    .isGreaterThan(killed.evaluations().getFirst().meanReward());
            // and its rows train it again
            assertThat(up.command("replay", "killed", "--from", "0").output())
                    .contains("16 steps trained again: 16 with the weights that the run had");
            // and the trained checkpoint can be measured
            UpProcess.Outcome measured = up.command(
                    "eval",
                    directory.resolve("work/data/runs/killed/export").toString(),
                    "--prompts",
                    prompts().toString(),
                    "--samples",
                    "2",
                    "--max-tokens",
                    "8",
                    "--json");
            assertThat(measured.exitCode()).as(measured.output()).isEqualTo(ExitCode.OK);
            assertThat(measured.output()).contains("\"passAt\"", "\"samples\" : 8");
        }
    }

    private static void awaitEnd(RunClient client, String runId) {
        try (RunFollower run = client.follow(runId)) {
            await().atMost(DEADLINE).until(() -> isOver(run));
        }
    }

    private static boolean isOver(RunFollower run) {
        return run.look(projection -> projection.phase().isOver());
    }

    private UpProcess.Outcome sampling(UpProcess up, String runId, int steps) throws Exception {
        return up.run(
                TINY.resolve("request.yaml"),
                "--id",
                runId,
                "--set",
                "training.steps=" + steps,
                "--set",
                "rollout.engines=1",
                "--set",
                "rollout.groupsPerStep=8");
    }

    private Path lessons() throws IOException {
        return Files.writeString(directory.resolve("lessons.yaml"), """
                name: lessons
                backend: cpu
                model: {path: %1$s/model}
                data: {prompts: %1$s/prompts.jsonl}
                evaluation:
                  - {name: heldout, prompts: %1$s/heldout.jsonl, maxResponseTokens: 8, temperature: 1}
                rollout: {groupsPerStep: 16}
                algorithm: {name: sft, lossNormaliser: token}
                training: {steps: 16, learningRate: 1e-3, weightDecay: 0}
                checkpoints: {everySteps: 5, keepLast: 2}
                """.formatted(TINY));
    }

    private Path prompts() throws IOException {
        return Files.write(
                directory.resolve("few.jsonl"),
                Files.readAllLines(TINY.resolve("heldout.jsonl")).subList(0, 4));
    }

    private Optional<ProcessHandle> worker(String runId) throws IOException {
        return PidFile.read(directory.resolve("work/data/runs/" + runId + "/worker.json"))
                .flatMap(PidFile::process);
    }

    private byte[] export(String runId) throws IOException {
        return Files.readAllBytes(directory.resolve("work/data/runs/" + runId + "/export/model.safetensors"));
    }
}
