package dev.sluice.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.sluice.events.RunEvent.RolloutShare;
import dev.sluice.events.TimeSpan;
import dev.sluice.events.WeightEvent.Phase;
import dev.sluice.events.WeightEvent.PhaseChanged;
import dev.sluice.kafka.KafkaConnection;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A run whose engines and worker take turns, on the packaged services; on cpu the protocol is the same and nothing is freed. */
class RunInTurnsIT {
    private static final Path REQUEST =
            Path.of(System.getProperty("sluice.root"), "deploy/examples/tiny/colocated.yaml");
    private static final Duration DEADLINE = Duration.ofMinutes(6);
    private static final String RUN = "turns";

    @TempDir
    private Path directory;

    @Test
    void enginesStandStillWhileAStepTrainsAndTheRunHasTheWeightsOfItsLog() throws Exception {
        int steps = 6;
        try (UpProcess up = UpProcess.start(directory);
                RunDiary run = new RunDiary(connection(up), RUN);
                TurnDiary turns = new TurnDiary(connection(up), RUN)) {
            submit(up, steps);

            awaitEnd(run);

            Optional<String> outcome = run.look(RunDiary::outcome);
            assertThat(outcome).contains("succeeded");
            List<RolloutShare> shares = turns.look(it -> it.firstAssignment().rollout());
            assertThat(shares.stream().mapToInt(RolloutShare::engines).sum()).isEqualTo(2);
            assertTurnsAlternate(turns.look(TurnDiary::phases));
            List<TimeSpan> training = turns.look(TurnDiary::turnsOfTraining);
            assertThat(training).hasSizeGreaterThanOrEqualTo(steps);
            List<TimeSpan> generated = turns.look(it -> it.generatedIn(training));
            assertThat(generated).isEmpty();
            List<String> findings = run.look(it -> it.findings(0));
            assertThat(findings).isEmpty();
            assertThat(EngineJournals.tokens(directory.resolve("work/data/runs")))
                    .isEqualTo(run.look(RunDiary::tokensReported));
            assertThat(replayed(up)).isEqualTo(steps);
            JsonNode status = json(up.command("status", RUN, "--json"));
            assertThat(status.path("placement").asText()).isEqualTo("colocated");
            assertThat(status.at("/seatTime/engines/handOver").asDouble()).isPositive();
        }
    }

    @Test
    void aRunOutlivesATrainerKilledInItsTurnAndAnInstanceKilledInTheEnginesTurn() throws Exception {
        int steps = 12;
        try (UpProcess up = UpProcess.start(directory);
                RunDiary run = new RunDiary(connection(up), RUN);
                TurnDiary turns = new TurnDiary(connection(up), RUN)) {
            submit(up, steps);

            await().atMost(DEADLINE).until(() -> run.look(RunDiary::stepsTrained) >= 2);
            int told = turns.look(it -> it.phases().getLast().number());
            await().atMost(DEADLINE)
                    .pollInterval(Duration.ofMillis(5))
                    .until(() -> turns.look(it -> it.isIn(Phase.TRAIN, told)));
            up.service("trainer-1").destroyForcibly();
            int trained = run.look(RunDiary::stepsTrained);
            await().atMost(DEADLINE).until(() -> run.look(RunDiary::stepsTrained) >= trained + 3);
            int since = turns.look(it -> it.phases().getLast().number());
            await().atMost(DEADLINE)
                    .pollInterval(Duration.ofMillis(5))
                    .until(() -> turns.look(it -> it.isIn(Phase.GENERATE, since)));
            up.service("rollout-1").destroyForcibly();
            awaitEnd(run);

            Optional<String> outcome = run.look(RunDiary::outcome);
            assertThat(outcome).contains("succeeded");
            List<Integer> trainedSteps = run.look(RunDiary::steps);
            assertThat(trainedSteps)
                    .containsExactlyElementsOf(
                            IntStream.rangeClosed(1, steps).boxed().toList());
            List<String> findings = run.look(it -> it.findings(0));
            assertThat(findings).isEmpty();
            assertNumbersFollow(turns.look(TurnDiary::phases));
            assertThat(replayed(up)).isEqualTo(steps);
        }
    }

    /** Each phase has the next number, every turn of training ends with one of the engines. */
    private static void assertTurnsAlternate(List<PhaseChanged> phases) {
        assertNumbersFollow(phases);
        assertThat(phases.getFirst().phase()).isEqualTo(Phase.TRAIN);
        for (int i = 0; i + 1 < phases.size(); i++) {
            assertThat(phases.get(i + 1).phase())
                    .as("after %s", phases.get(i))
                    .isEqualTo(phases.get(i).phase() == Phase.TRAIN ? Phase.GENERATE : Phase.TRAIN);
        }
    }

    private static void assertNumbersFollow(List<PhaseChanged> phases) {
        assertThat(phases)
                .extracting(PhaseChanged::number)
                .containsExactlyElementsOf(
                        IntStream.rangeClosed(1, phases.size()).boxed().toList());
    }

    private static void submit(UpProcess up, int steps) throws Exception {
        UpProcess.Outcome accepted =
                up.run(REQUEST, "--id", RUN, "--set", "training.steps=" + steps, "--set", "checkpoints.everySteps=4");
        assertThat(accepted.exitCode()).as(accepted.output()).isZero();
    }

    private static void awaitEnd(RunDiary run) {
        await().atMost(DEADLINE).until(() -> run.look(RunDiary::outcome).isPresent());
    }

    private static long replayed(UpProcess up) throws Exception {
        return json(up.command("replay", RUN, "--from", "0", "--json"))
                .path("same")
                .asLong();
    }

    /** What is said on the way stands before the document. */
    private static JsonNode json(UpProcess.Outcome outcome) throws Exception {
        assertThat(outcome.exitCode()).as(outcome.output()).isZero();
        String output = outcome.output();
        return new ObjectMapper().readTree(output.substring(Math.max(0, output.indexOf("\n{") + 1)));
    }

    private static KafkaConnection connection(UpProcess up) throws Exception {
        return new KafkaConnection(up.bootstrapServers(), "turns-test");
    }
}
