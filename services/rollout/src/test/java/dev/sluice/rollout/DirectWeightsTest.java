package dev.sluice.rollout;

import static dev.sluice.events.WeightEvent.Phase.GENERATE;
import static dev.sluice.events.WeightEvent.Phase.SYNC;
import static dev.sluice.events.WeightEvent.Phase.TRAIN;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;

import dev.sluice.events.EngineEvent.EnginePlace;
import dev.sluice.events.EngineEvent.EngineReady;
import dev.sluice.events.EngineEvent.EngineStopped;
import dev.sluice.events.EngineEvent.EngineUnhealthy;
import dev.sluice.events.EngineEvent.PhaseReached;
import dev.sluice.events.EngineEvent.WeightsLoaded;
import dev.sluice.events.GroupEvent.GroupSampled;
import dev.sluice.events.GroupEvent.Sample;
import dev.sluice.events.GroupTask.GroupRequested;
import dev.sluice.events.Rollout.PartialRollout;
import dev.sluice.events.Rollout.PauseMode;
import dev.sluice.events.TrainingRequest.Transport;
import dev.sluice.rollout.FakeEngines.FakeEngine;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Weights that come from the worker's memory, into engines with GPUs of their own. */
class DirectWeightsTest {
    @TempDir
    Path folder;

    private FakeRun fake;

    @BeforeEach
    void aRunWithTwoEngines() {
        fake = new FakeRun(folder, 2, List.of("--tp-size", "4")).serve();
    }

    @Test
    void enginesStandStillWithAllTheirMemoryAndGoOnWithWhatWasSent() {
        // When
        fake.phase(1, SYNC, 0);
        // Then
        assertThat(reached())
                .singleElement()
                .satisfies(reached -> assertThat(reached.engines())
                        .containsExactly(
                                new EnginePlace("engine-1", "http://127.0.0.1:20001", 4, false),
                                new EnginePlace("engine-2", "http://127.0.0.1:20002", 4, false)));
        sent(2, 1);
        assertThat(fake.engines.launched)
                .allSatisfy(engine -> assertThat(engine.calls).containsExactly("pause ABORT", "continue 1"));
        assertThat(fake.log.of(WeightsLoaded.class))
                .extracting(WeightsLoaded::engineId, WeightsLoaded::version)
                .containsExactly(tuple("engine-1", 1), tuple("engine-2", 1));
        fake.request(0);
        assertThat(fake.log.of(GroupSampled.class).getFirst().samples())
                .extracting(Sample::oldestVersion)
                .containsOnly(1);
    }

    @Test
    void enginesStartWithTheFirstVersionHoweverLaterOnesTravel() {
        // When
        fake.publishDirectly(0, Transport.NCCL);
        fake.engines.newest().crash();
        fake.core.advance(Duration.ofSeconds(2));
        // Then
        assertThat(fake.log.of(EngineReady.class))
                .extracting(EngineReady::engineId, EngineReady::weightVersion)
                .containsExactly(tuple("engine-1", 0), tuple("engine-2", 0), tuple("engine-3", 0));
        assertThat(reached()).isEmpty();
    }

    @Test
    void samplesGoOnAcrossWeightsThatAreSentWhereThePlanSaysSo() {
        // Given
        fake = new FakeRun(folder.resolve("other"), 1, List.of())
                .pausing(PauseMode.IN_PLACE)
                .serve();
        fake.core.hold("sample-run/0");
        fake.request(fake.task(0, PartialRollout.CONTINUE));
        // When
        fake.phase(1, SYNC, 0);
        // Then: nothing is waited for
        assertThat(fake.engines.newest().calls).containsExactly("pause IN_PLACE");
        assertThat(reached()).hasSize(1);
    }

    @Test
    void anEngineThatStoodStillAndGotNothingIsReplaced() {
        // Given
        fake.phase(1, SYNC, 0);
        fake.engines.launched.getFirst().sent("1");
        fake.publishDirectly(1, Transport.NCCL);
        // When
        fake.phase(2, GENERATE, 1, "engine-1");
        // Then
        assertThat(fake.log.of(EngineUnhealthy.class)).singleElement().satisfies(gone -> {
            assertThat(gone.engineId()).isEqualTo("engine-2");
            assertThat(gone.reason()).contains("stood still for version 1", "did not come into its memory whole");
        });
    }

    @Test
    void anEngineThatStartsLaterSaysThatItLacksWeightsAndGetsThemWithTheNextSync() {
        // Given
        fake.phase(1, SYNC, 0);
        sent(2, 1);
        // When
        fake.engines.launched.getFirst().crash();
        fake.core.advance(Duration.ofSeconds(2));
        // Then: it takes no work, and no deadline ends it while its trainer trains
        fake.core.advance(Duration.ofHours(1));
        assertThat(fake.engines.launched).hasSize(3);
        assertThat(reached()).extracting(PhaseReached::number).containsExactly(1, 2, 2);
        assertThat(reached().getLast().engines())
                .extracting(EnginePlace::engineId, EnginePlace::lacksWeights)
                .containsExactly(tuple("engine-3", true), tuple("engine-2", false));
        assertThat(fake.engines.newest().requests).isEmpty();
        fake.phase(3, SYNC, 1);
        assertThat(fake.engines.newest().calls).containsExactly("pause ABORT");
        fake.engines.newest().sent("1");
        fake.phase(4, GENERATE, 1, "engine-2", "engine-3");
        assertThat(fake.engines.newest().canaries).isNotEmpty();
        assertThat(fake.log.of(EngineReady.class))
                .extracting(EngineReady::engineId, EngineReady::weightVersion)
                .contains(tuple("engine-3", 1));
        assertThat(reached().getLast().engines())
                .extracting(EnginePlace::lacksWeights)
                .containsOnly(false);
    }

    @Test
    void anEngineThatStartsDuringASyncHoldsNobodyUpAndLacksWeightsAfterIt() {
        // Given
        fake.engines.launched.getFirst().crash();
        fake.core.hold("await-engine-3");
        fake.core.advance(Duration.ofSeconds(1));
        // When
        fake.phase(1, SYNC, 0);
        // Then
        assertThat(reached().getLast().engines())
                .extracting(EnginePlace::engineId)
                .containsExactly("engine-2");
        fake.core.release("await-engine-3");
        assertThat(fake.engines.newest().calls).isEmpty();
        fake.engines.launched.get(1).sent("1");
        fake.publishDirectly(1, Transport.NCCL);
        fake.phase(2, GENERATE, 1, "engine-2");
        assertThat(reached().getLast().engines())
                .extracting(EnginePlace::engineId, EnginePlace::lacksWeights)
                .containsExactly(tuple("engine-3", true), tuple("engine-2", false));
        assertThat(fake.log.of(EngineUnhealthy.class)).isEmpty();
    }

    @Test
    void anEngineThatLacksWeightsLoadsFilesWhenTheRunFallsBackToThem() throws IOException {
        // Given
        fake.phase(1, SYNC, 0);
        sent(2, 1);
        fake.engines.launched.getFirst().crash();
        fake.core.advance(Duration.ofSeconds(2));
        // When
        fake.publish(2);
        // Then
        assertThat(fake.engines.newest().loaded).containsExactly(2);
        assertThat(fake.engines.launched.get(1).loaded).containsExactly(2);
    }

    @Test
    void afterASendThatFailedAllEnginesAreReplacedAndLoadTheFiles() throws IOException {
        // Given
        fake.phase(1, SYNC, 0);
        fake.publish(1);
        // When
        fake.phase(2, GENERATE, 1);
        fake.core.advance(Duration.ofSeconds(2));
        // Then
        assertThat(fake.log.of(EngineUnhealthy.class)).hasSize(2);
        assertThat(fake.engines.launched).hasSize(4);
        assertThat(fake.engines.launched.subList(2, 4))
                .allSatisfy(engine -> assertThat(engine.loaded).containsExactly(1));
    }

    @Test
    void anEvaluationGoesOnAndItsEngineLacksTheNewWeightsAfterIt() {
        // Given an evaluation of version 0, which one of the two engines keeps for it
        fake.core.hold("sample-run/9");
        fake.request(exactly(9, 0));
        FakeEngine busy = fake.engines.launched.getFirst();
        // When
        fake.phase(1, SYNC, 0);
        // Then
        assertThat(reached().getLast().engines())
                .extracting(EnginePlace::engineId)
                .containsExactly("engine-2");
        fake.engines.launched.getLast().sent("1");
        fake.publishDirectly(1, Transport.NCCL);
        fake.phase(2, GENERATE, 1, "engine-2");
        assertThat(busy.calls).isEmpty();
        fake.core.release("sample-run/9");
        assertThat(fake.log.of(GroupSampled.class).getFirst().samples())
                .extracting(Sample::oldestVersion)
                .containsOnly(0);
        assertThat(reached().getLast().engines())
                .extracting(EnginePlace::engineId, EnginePlace::lacksWeights)
                .containsExactly(tuple("engine-1", true), tuple("engine-2", false));
    }

    @Test
    void anEngineThatDiesWhileWeightsMoveIsStartedWithGeneration() {
        // Given
        fake.phase(1, SYNC, 0);
        // When
        fake.engines.launched.getFirst().crash();
        fake.core.advance(Duration.ofSeconds(10));
        // Then
        assertThat(fake.log.of(EngineStopped.class)).hasSize(1);
        assertThat(fake.engines.launched).hasSize(2);
        assertThat(reached()).hasSize(1);
        fake.engines.launched.get(1).sent("1");
        fake.publishDirectly(1, Transport.NCCL);
        fake.phase(2, GENERATE, 1, "engine-2");
        assertThat(fake.engines.launched).hasSize(3);
    }

    @Test
    void anotherSyncOfANewTrainerIsAnsweredByEnginesThatStandStillAlready() {
        // Given
        fake.phase(1, SYNC, 0);
        // When
        fake.phase(2, 2, SYNC, 0);
        // Then
        assertThat(reached()).extracting(PhaseReached::number).containsExactly(1, 2);
        assertThat(fake.engines.newest().calls).containsExactly("pause ABORT");
    }

    @Test
    void whoeverJoinsARunThatSharesGpusReleasesItsMemoryForTheSync() {
        // Given an engine that was started with generation and lacks what was sent before
        fake = new FakeRun(folder.resolve("other"), 1, List.of()).colocated();
        fake.publishDirectly(1, Transport.TENSOR);
        fake.phase(3, GENERATE, 1);
        fake.serve();
        assertThat(reached().getLast().engines())
                .extracting(EnginePlace::lacksWeights)
                .containsExactly(true);
        // When
        fake.phase(4, SYNC, 1);
        // Then
        assertThat(fake.engines.newest().calls).containsExactly("pause ABORT", "release [KV_CACHE, CUDA_GRAPH]");
        fake.phase(5, TRAIN, 1);
        assertThat(fake.engines.newest().released).hasSize(3);
        assertThat(reached()).extracting(PhaseReached::number).contains(3, 4, 5);
    }

    /** The worker sends a version to both engines. */
    private void sent(int number, int version) {
        fake.engines.launched.forEach(engine -> engine.sent(Integer.toString(version)));
        fake.publishDirectly(version, Transport.NCCL);
        fake.phase(number, GENERATE, version, "engine-1", "engine-2");
    }

    private GroupRequested exactly(long cursor, int version) {
        GroupRequested task = fake.task(cursor, PartialRollout.RESTART);
        return new GroupRequested(
                task.runId(),
                task.epoch(),
                task.groupId(),
                cursor,
                0,
                1,
                task.instanceId(),
                task.prompt(),
                task.label(),
                task.reward(),
                task.samples(),
                task.sampling(),
                version,
                version,
                task.deadline());
    }

    private List<PhaseReached> reached() {
        return fake.log.of(PhaseReached.class);
    }
}
