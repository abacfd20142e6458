package dev.sluice.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.sluice.cli.run.LogWatch;
import dev.sluice.cli.run.RunClient;
import dev.sluice.events.EngineEvent.EngineReady;
import dev.sluice.events.EngineEvent.EngineStarted;
import dev.sluice.events.EngineEvent.EngineStopped;
import dev.sluice.events.Event;
import dev.sluice.events.Rollout.StaleSamples;
import dev.sluice.events.Topics;
import dev.sluice.events.TrainingEvent.StepCompleted;
import dev.sluice.kafka.KafkaConnection;
import dev.sluice.kafka.StateReader;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A run whose only engine spans two rollout instances, with all packaged services. */
class EngineOfTwoNodesIT {
    private static final Path REQUEST = Path.of(System.getProperty("sluice.root"), "deploy/examples/tiny/request.yaml");
    private static final int STEPS = 12;
    private static final Duration DEADLINE = Duration.ofMinutes(5);

    @TempDir
    private Path directory;

    private final List<Event> events = new CopyOnWriteArrayList<>();

    @Test
    void aRunOutlivesTheDeathOfASecondNodesProcess() throws Exception {
        try (UpProcess up = UpProcess.start(directory, 2, Map.of());
                StateReader reader = follow(up);
                LogWatch log = new RunClient(up.bootstrapServers()).watchLog("nodes")) {
            // Given
            CompletableFuture<UpProcess.Outcome> run = begin(up);
            awaitSteps(run, 3);
            EngineStarted second = secondNode();
            // When
            assertThat(ProcessHandle.of(second.pid()).orElseThrow().destroyForcibly())
                    .isTrue();
            // Then
            assertSucceeded(up, run.join(), log);
            assertThat(of(EngineStopped.class))
                    .filteredOn(stopped -> stopped.engineId().equals(second.engineId()))
                    .extracting(EngineStopped::node)
                    .containsExactlyInAnyOrder(0, 1);
            assertThat(of(EngineReady.class))
                    .extracting(EngineReady::instanceId)
                    .containsOnly("rollout-1");
            assertThat(of(EngineReady.class))
                    .extracting(EngineReady::engineId)
                    .hasSizeGreaterThan(1)
                    .contains(second.engineId());
            assertThat(reader.failure()).isNull();
        }
    }

    @Test
    void spareInstancesReplaceOneThatIsLostAndOneThatIsToldToStop() throws Exception {
        try (UpProcess up = UpProcess.start(directory, 3, Map.of());
                StateReader reader = follow(up);
                LogWatch log = new RunClient(up.bootstrapServers()).watchLog("nodes")) {
            // Given
            CompletableFuture<UpProcess.Outcome> run = begin(up);
            awaitSteps(run, 3);
            // When
            assertThat(up.service(secondNode().instanceId()).destroyForcibly()).isTrue();
            awaitSteps(run, 7);
            assertThat(up.service(secondNode().instanceId()).destroy()).isTrue();
            // Then
            assertSucceeded(up, run.join(), log);
            assertThat(of(EngineStarted.class).stream()
                            .filter(started -> started.meeting() != null)
                            .map(started -> started.meeting().formed())
                            .distinct())
                    .as("instances were brought together anew after each loss")
                    .hasSizeGreaterThanOrEqualTo(3);
            assertThat(reader.failure()).isNull();
        }
    }

    @Test
    void oneInstanceIsNotEnoughAndTheRunSaysSoWaitsAndFails() throws Exception {
        try (UpProcess up = UpProcess.start(directory, 1, Map.of("SLUICE_PLANNER_NODES_DEADLINE", "5s"))) {
            UpProcess.Outcome outcome = run(up);

            assertThat(outcome.exitCode()).as(outcome.output()).isEqualTo(ExitCode.FAILED);
            assertThat(outcome.output())
                    .contains(
                            "waits for 2 rollout instances with a free slot (backend cpu), one for each node of an engine",
                            "there is 1, and the run fails where that is so for 5 s",
                            "it waited in vain for 5 s",
                            "start more instances");
            assertThat(up.enginesAndWorkers()).isEmpty();
        }
    }

    /** On a thread of its own: the common pool's tell when processes end. */
    private static CompletableFuture<UpProcess.Outcome> begin(UpProcess up) {
        return CompletableFuture.supplyAsync(() -> run(up), Thread::startVirtualThread);
    }

    private static UpProcess.Outcome run(UpProcess up) {
        try {
            return up.run(
                    REQUEST,
                    "--id",
                    "nodes",
                    "--set",
                    "training.steps=" + STEPS,
                    "--set",
                    "rollout.engines=1",
                    "--set",
                    "cluster.rolloutNodes=2",
                    "--follow");
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
    }

    private StateReader follow(UpProcess up) throws IOException {
        return StateReader.start(
                new KafkaConnection(up.bootstrapServers(), "nodes-test"),
                List.of(Topics.ENGINES, Topics.TRAINING),
                record -> events.add(record.event()));
    }

    private void awaitSteps(CompletableFuture<UpProcess.Outcome> run, int steps) {
        await().atMost(DEADLINE).until(() -> run.isDone() || trained().size() >= steps);
    }

    /** The newest process of a second node. */
    private EngineStarted secondNode() {
        return of(EngineStarted.class).stream()
                .filter(started -> started.node() == 1)
                .reduce((older, newer) -> newer)
                .orElseThrow();
    }

    private void assertSucceeded(UpProcess up, UpProcess.Outcome outcome, LogWatch log) throws IOException {
        assertThat(outcome.exitCode()).as(outcome.output()).isEqualTo(ExitCode.OK);
        assertThat(trained())
                .containsExactlyElementsOf(
                        IntStream.rangeClosed(1, STEPS).boxed().toList());
        assertThat(log.findings(1, StaleSamples.DROP)).isEmpty();
        assertThat(new RunClient(up.bootstrapServers())
                        .read("nodes")
                        .ledger()
                        .tokens()
                        .open())
                .isZero();
    }

    private List<Integer> trained() {
        return of(StepCompleted.class).stream().map(StepCompleted::step).toList();
    }

    private <E extends Event> List<E> of(Class<E> type) {
        return events.stream().filter(type::isInstance).map(type::cast).toList();
    }
}
