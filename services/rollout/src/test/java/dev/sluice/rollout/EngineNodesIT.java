package dev.sluice.rollout;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.sluice.events.EngineEvent.EngineReady;
import dev.sluice.events.EngineEvent.EngineStarted;
import dev.sluice.events.EngineEvent.EngineStopped;
import dev.sluice.events.EngineEvent.WeightsLoaded;
import dev.sluice.events.GroupEvent.GroupStarted;
import dev.sluice.events.GroupEvent.Sample;
import dev.sluice.events.GroupTask.GroupRequested;
import dev.sluice.events.InstanceSnapshot;
import dev.sluice.testkit.KafkaBroker;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** Two packaged instances whose CPU engine processes are one engine of two nodes. */
@ExtendWith(KafkaBroker.class)
class EngineNodesIT {
    private static final List<String> TWO_NODES = List.of("--tp-size", "2", "--nnodes", "2");

    @TempDir
    Path folder;

    @BeforeAll
    static void needsTheCpuEngine() throws IOException {
        assertThat(RunningRollout.engineIsBuilt())
                .as("the CPU engine is built; if not: ./mvnw -pl services/cpu-backend -am package -DskipTests")
                .isTrue();
    }

    @Test
    void twoInstancesServeOneEngineAndTheDeathOfItsSecondNodeRenewsIt(KafkaBroker kafka) throws IOException {
        try (Scenario run = new Scenario(kafka, folder);
                RunningRollout head = run.startService();
                RunningRollout other = startSecond(run)) {
            // Given
            InstanceSnapshot second = run.announced(other.instanceId(), "");
            run.plan(TWO_NODES);
            run.assignNodes(1, List.of(run.announced(""), second));
            EngineReady first = run.log.await(run.runId, EngineReady.class, any -> true, Scenario.START);
            assertThat(first.instanceId()).isEqualTo(head.instanceId());
            EngineStarted node = started(run, first.engineId(), 1);
            assertThat(node.instanceId()).isEqualTo(other.instanceId());
            run.publishSource();
            run.publishWeights(1);
            run.log.await(run.runId, WeightsLoaded.class, event -> event.version() == 1, Scenario.START);
            assertThat(run.sampled(run.request(0, 1, null)).samples())
                    .extracting(Sample::engineId)
                    .containsOnly(first.engineId());
            GroupRequested atWork = run.request(1, 1, null, 400, Duration.ofSeconds(60));
            run.log.await(
                    run.runId, GroupStarted.class, event -> event.groupId().equals(atWork.groupId()), Scenario.START);
            // When
            kill(node.pid());
            // Then
            EngineStopped lost = stopped(run, first.engineId(), 1);
            EngineStopped end = stopped(run, first.engineId(), 0);
            assertThat(lost.instanceId()).isEqualTo(other.instanceId());
            assertThat(end.instanceId()).isEqualTo(head.instanceId());
            EngineReady again = run.log.await(
                    run.runId, EngineReady.class, ready -> !ready.engineId().equals(first.engineId()), Scenario.START);
            assertThat(again.weightVersion()).isEqualTo(1);
            assertThat(started(run, again.engineId(), 0).meeting().address())
                    .isNotEqualTo(started(run, first.engineId(), 0).meeting().address());
            run.sendAgainWhenGivenBack(atWork);
            assertThat(run.sampled(atWork).samples()).hasSize(Scenario.SAMPLES).allSatisfy(sample -> {
                assertThat(sample.engineId()).isEqualTo(again.engineId());
                assertThat(sample.oldestVersion()).isEqualTo(1);
            });
        }
    }

    @Test
    void theEndOfItsFirstNodesInstanceEndsTheProcessOfTheSecond(KafkaBroker kafka) throws IOException {
        try (Scenario run = new Scenario(kafka, folder);
                RunningRollout head = run.startService();
                RunningRollout other = startSecond(run)) {
            // Given
            InstanceSnapshot second = run.announced(other.instanceId(), "");
            run.plan(TWO_NODES);
            run.assignNodes(1, List.of(run.announced(""), second));
            EngineReady ready = run.log.await(run.runId, EngineReady.class, any -> true, Scenario.START);
            long pid = started(run, ready.engineId(), 1).pid();
            // When
            kill(head.process().pid());
            // Then
            await().atMost(Duration.ofSeconds(30))
                    .until(() -> ProcessHandle.of(pid)
                            .map(process -> !process.isAlive())
                            .orElse(true));
            assertThat(stopped(run, ready.engineId(), 1).lastLines())
                    .anyMatch(line -> line.contains("node 0 was lost"));
        }
    }

    @Test
    void anAssignmentToOthersEndsBothProcesses(KafkaBroker kafka) throws IOException {
        try (Scenario run = new Scenario(kafka, folder);
                RunningRollout head = run.startService();
                RunningRollout other = startSecond(run)) {
            // Given
            InstanceSnapshot first = run.announced("");
            InstanceSnapshot second = run.announced(other.instanceId(), "");
            run.plan(TWO_NODES);
            run.assignNodes(1, List.of(first, second));
            EngineReady ready = run.log.await(run.runId, EngineReady.class, any -> true, Scenario.START);
            // When
            run.assignNodes(2, List.of(second, first));
            // Then
            assertThat(stopped(run, ready.engineId(), 0).reason()).isEqualTo("assignment 2 forms its engine anew");
            stopped(run, ready.engineId(), 1);
            EngineReady turned =
                    run.log.await(run.runId, EngineReady.class, event -> event.epoch() == 2, Scenario.START);
            assertThat(turned.instanceId()).isEqualTo(other.instanceId());
            assertThat(started(run, turned.engineId(), 1).instanceId()).isEqualTo(head.instanceId());
        }
    }

    private static RunningRollout startSecond(Scenario run) throws IOException {
        return RunningRollout.start(
                run.kafka, "second-" + run.instanceId, run.folder.resolve("data"), run.folder, Map.of());
    }

    private static EngineStarted started(Scenario run, String engineId, int node) {
        return run.log.await(
                run.runId,
                EngineStarted.class,
                event -> event.engineId().equals(engineId) && event.node() == node,
                Scenario.START);
    }

    private static EngineStopped stopped(Scenario run, String engineId, int node) {
        return run.log.await(
                run.runId,
                EngineStopped.class,
                event -> event.engineId().equals(engineId) && event.node() == node,
                Scenario.START);
    }

    private static void kill(long pid) {
        ProcessHandle.of(pid).orElseThrow().destroyForcibly();
    }
}
