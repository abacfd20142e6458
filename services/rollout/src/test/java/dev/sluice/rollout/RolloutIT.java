package dev.sluice.rollout;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.sluice.events.EngineEvent.EngineReady;
import dev.sluice.events.EngineEvent.EngineStarted;
import dev.sluice.events.EngineEvent.EngineStopped;
import dev.sluice.events.EngineEvent.EngineUnhealthy;
import dev.sluice.events.EngineEvent.WeightsLoaded;
import dev.sluice.events.GroupEvent.FinishReason;
import dev.sluice.events.GroupEvent.GroupAbandoned;
import dev.sluice.events.GroupEvent.GroupSampled;
import dev.sluice.events.GroupEvent.GroupStarted;
import dev.sluice.events.GroupEvent.Sample;
import dev.sluice.events.GroupEvent.SamplesParked;
import dev.sluice.events.GroupEvent.VersionSpan;
import dev.sluice.events.GroupTask.GroupRequested;
import dev.sluice.events.InstanceSnapshot;
import dev.sluice.events.RunEvent.RunSucceeded;
import dev.sluice.testkit.KafkaBroker;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** The packaged service with real CPU engines and a real broker. */
@ExtendWith(KafkaBroker.class)
class RolloutIT {
    @TempDir
    Path folder;

    @BeforeAll
    static void needsTheCpuEngine() throws IOException {
        assertThat(RunningRollout.engineIsBuilt())
                .as("the CPU engine is built; if not: ./mvnw -pl services/cpu-backend -am package -DskipTests")
                .isTrue();
    }

    @Test
    void anAssignedInstanceStartsItsEngineAndSamplesAGroup(KafkaBroker kafka) throws IOException {
        try (Scenario run = new Scenario(kafka, folder);
                RunningRollout service = run.startService()) {
            // Given
            EngineReady ready = run.begin();
            assertThat(ready.weightVersion()).isZero();
            // When
            GroupRequested task = run.request(0, 0, null);
            // Then
            run.log.await(run.runId, GroupStarted.class);
            GroupSampled group = run.sampled(task);
            assertThat(group.samples()).hasSize(Scenario.SAMPLES).allSatisfy(sample -> {
                assertThat(sample.tokens().length()).isBetween(1, 16);
                assertThat(sample.logprobs().length()).isEqualTo(sample.tokens().length());
                assertThat(sample.lossMask().length()).isEqualTo(sample.tokens().length());
                assertThat(sample.versions())
                        .containsExactly(new VersionSpan(0, sample.tokens().length()));
                assertThat(sample.reward()).isNotNull();
                assertThat(sample.finishReason()).isNotEqualTo(FinishReason.FAILED);
                assertThat(sample.engineId()).isEqualTo(ready.engineId());
            });
            // The character model's own ids of "12+34=": 6, 7, 15, 8, 9 and '='.
            assertThat(group.promptTokens().toArray())
                    .startsWith(6, 7, 15, 8, 9)
                    .hasSize(6);
        }
    }

    @Test
    void everySampleStaysWithinItsVersionBound(KafkaBroker kafka) throws IOException {
        try (Scenario run = new Scenario(kafka, folder);
                RunningRollout service = run.startService()) {
            // Given
            run.begin();
            run.publishSource();
            run.publishWeights(1);
            WeightsLoaded loaded =
                    run.log.await(run.runId, WeightsLoaded.class, event -> event.version() == 1, Scenario.START);
            assertThat(loaded.verified()).contains("files sha-256", "model_info.weight_version");
            // When
            GroupRequested exactlyOne = run.request(1, 0, 1);
            GroupRequested exactlyZero = run.request(2, 0, 0);
            GroupRequested tooNew = run.request(3, 2, null, 16, Duration.ofSeconds(1));
            GroupRequested waits = run.request(4, 2, null);
            // Then
            assertThat(run.sampled(exactlyOne).samples())
                    .allSatisfy(sample -> assertThat(sample.oldestVersion()).isEqualTo(1));
            assertThat(run.abandoned(exactlyZero).reason())
                    .contains("no engine holds exactly weight version 0 any more");
            assertThat(run.abandoned(tooNew).reason()).contains("its deadline passed", "weight version 2 or newer");
            run.publishWeights(2);
            assertThat(run.sampled(waits).samples())
                    .extracting(Sample::oldestVersion)
                    .containsOnly(2);
        }
    }

    @Test
    void weightsThatAreNotWhatTheTrainerWroteAreNeverServed(KafkaBroker kafka) throws IOException {
        try (Scenario run = new Scenario(kafka, folder);
                RunningRollout service = run.startService()) {
            // Given
            run.begin();
            // When
            run.publishBrokenWeights(1);
            GroupRequested task = run.request(1, 1, null, 16, Duration.ofSeconds(3));
            // Then
            assertThat(run.abandoned(task).reason()).contains("version 1 cannot be verified");
            assertThat(run.log.events(run.runId, WeightsLoaded.class)).isEmpty();
        }
    }

    @Test
    void anEngineKilledAtWorkIsReplacedAtTheCurrentVersionAndItsGroupFinishes(KafkaBroker kafka) throws IOException {
        try (Scenario run = new Scenario(kafka, folder);
                RunningRollout service = run.startService()) {
            // Given
            EngineReady first = run.begin();
            run.publishWeights(1);
            run.log.await(run.runId, WeightsLoaded.class, event -> event.version() == 1, Scenario.START);
            GroupRequested task = run.request(1, 1, null, 400, Duration.ofSeconds(60));
            run.log.await(run.runId, GroupStarted.class);
            // When
            kill(run.log.await(run.runId, EngineStarted.class).pid());
            // Then
            EngineStopped stopped = run.log.await(run.runId, EngineStopped.class);
            assertThat(stopped.engineId()).isEqualTo(first.engineId());
            EngineReady second = run.log.await(
                    run.runId, EngineReady.class, ready -> !ready.engineId().equals(first.engineId()), Scenario.START);
            assertThat(second.weightVersion()).isEqualTo(1);
            run.sendAgainWhenGivenBack(task);
            assertThat(run.sampled(task).samples()).hasSize(Scenario.SAMPLES).allSatisfy(sample -> {
                assertThat(sample.engineId()).isEqualTo(second.engineId());
                assertThat(sample.oldestVersion()).isEqualTo(1);
            });
        }
    }

    @Test
    void anEngineThatIsStoppedInTheMiddleOfItsWorkIsReplacedAndItsGroupFinishes(KafkaBroker kafka) throws Exception {
        Map<String, String> impatient =
                Map.of("SLUICE_ROLLOUT_ENGINE_PROGRESS_DEADLINE", "2s", "SLUICE_ROLLOUT_ENGINE_CANARY_DEADLINE", "2s");
        try (Scenario run = new Scenario(kafka, folder);
                RunningRollout service = run.startService(impatient)) {
            // Given
            EngineReady first = run.begin();
            long pid = run.log.await(run.runId, EngineStarted.class).pid();
            // When
            assertThat(new ProcessBuilder("kill", "-STOP", Long.toString(pid))
                            .start()
                            .waitFor())
                    .isZero();
            GroupRequested task = run.request(1, 0, null);
            // Then
            EngineUnhealthy unhealthy = run.log.await(run.runId, EngineUnhealthy.class, any -> true, Scenario.START);
            assertThat(unhealthy.engineId()).isEqualTo(first.engineId());
            assertThat(unhealthy.reason()).contains("no token moved for", "4 samples on it", "a canary got no answer");
            run.sendAgainWhenGivenBack(task);
            assertThat(run.sampled(task).samples()).extracting(Sample::engineId).doesNotContain(first.engineId());
            assertThat(isAlive(pid)).isFalse();
        }
    }

    @Test
    void enginesEndWithAKilledInstanceAndItsNextIncarnationServesTheNextAssignment(KafkaBroker kafka)
            throws IOException {
        try (Scenario run = new Scenario(kafka, folder);
                RunningRollout lost = run.startService()) {
            // Given
            EngineReady ready = run.begin();
            long enginePid = run.log.await(run.runId, EngineStarted.class).pid();
            // When
            kill(lost.process().pid());
            // Then
            await().atMost(Duration.ofSeconds(15)).until(() -> !isAlive(enginePid));
            try (RunningRollout next = run.startService()) {
                InstanceSnapshot announced = run.announced(ready.incarnation());
                run.assign(2, announced, 1);
                EngineReady again =
                        run.log.await(run.runId, EngineReady.class, event -> event.epoch() == 2, Scenario.START);
                assertThat(again.incarnation()).isEqualTo(announced.incarnation());
                assertThat(run.sampled(run.request(7, 0, null)).samples()).hasSize(Scenario.SAMPLES);
            }
        }
    }

    @Test
    void aStoppedInstanceGivesItsGroupsBackEndsItsEnginesAndSaysGoodbye(KafkaBroker kafka) throws IOException {
        try (Scenario run = new Scenario(kafka, folder);
                RunningRollout service = run.startService()) {
            // Given
            run.begin();
            GroupRequested waits = run.request(1, 5, null);
            run.log.await(run.runId, GroupStarted.class);
            // When
            service.stop();
            // Then
            assertThat(run.log
                            .await(
                                    run.runId,
                                    SamplesParked.class,
                                    event -> event.groupId().equals(waits.groupId()),
                                    Scenario.START)
                            .reason())
                    .contains("the instance is stopping");
            run.log.await(run.runId, EngineStopped.class);
            InstanceSnapshot goodbye = run.log.await(
                    "",
                    InstanceSnapshot.class,
                    snapshot -> snapshot.instanceId().equals(run.instanceId)
                            && snapshot.state() == InstanceSnapshot.State.STOPPED,
                    Scenario.START);
            assertThat(goodbye.pid()).isEqualTo(service.process().pid());
        }
    }

    @Test
    void theEndOfARunEndsItsEngines(KafkaBroker kafka) throws IOException {
        try (Scenario run = new Scenario(kafka, folder);
                RunningRollout service = run.startService()) {
            // Given
            run.begin();
            GroupRequested waits = run.request(1, 5, null);
            run.log.await(run.runId, GroupStarted.class);
            // When
            kafka.publish(new RunSucceeded(run.runId, 1, "torch", "hf"));
            // Then
            GroupAbandoned abandoned = run.abandoned(waits);
            assertThat(abandoned.reason()).contains("the run succeeded");
            assertThat(run.log.await(run.runId, EngineStopped.class).reason()).isEqualTo("the run succeeded");
        }
    }

    private static void kill(long pid) {
        ProcessHandle.of(pid).orElseThrow().destroyForcibly();
    }

    private static boolean isAlive(long pid) {
        return ProcessHandle.of(pid).map(ProcessHandle::isAlive).orElse(false);
    }
}
