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
import dev.sluice.events.Rollout.PauseMode;
import dev.sluice.events.TrainingRequest.Transport;
import dev.sluice.rollout.FakeEngines.FakeEngine;
import dev.sluice.rollout.assignment.Share;
import dev.sluice.sglang.MemoryTag;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Engines that take turns with training on their GPUs, by files and by the worker's own hand. */
class PhasesTest {
    private static final String RELEASE_ALL = "release [WEIGHTS, KV_CACHE, CUDA_GRAPH]";
    private static final String RESUME_REST = "resume [KV_CACHE, CUDA_GRAPH]";

    @TempDir
    Path folder;

    private FakeRun fake;

    @Test
    void trainingGetsTheMemoryOfEnginesThatHaveNothingToDo() {
        // Given
        colocated(2);
        // When
        fake.phase(1, TRAIN, 0);
        // Then
        assertThat(fake.engines.launched)
                .allSatisfy(engine -> assertThat(engine.calls).containsExactly("pause ABORT", RELEASE_ALL));
        assertThat(reached()).singleElement().satisfies(reached -> {
            assertThat(reached.number()).isEqualTo(1);
            assertThat(reached.incarnation()).isEqualTo("now");
            assertThat(reached.engines())
                    .containsExactly(
                            new EnginePlace("engine-1", "http://127.0.0.1:20001", 1, false),
                            new EnginePlace("engine-2", "http://127.0.0.1:20002", 1, false));
        });
    }

    @Test
    void whatRunsMayFinishBeforeItsEngineGivesItsMemoryBack() {
        // Given
        colocated(1);
        fake.core.hold("sample-run/0");
        fake.request(0);
        // When
        fake.phase(1, TRAIN, 0);
        // Then
        assertThat(engine().calls).isEmpty();
        fake.core.release("sample-run/0");
        assertThat(engine().calls).containsExactly("pause ABORT", RELEASE_ALL);
        assertThat(fake.log.of(GroupSampled.class)).hasSize(1);
    }

    @Test
    void whatRunsForTooLongIsInterruptedAndSampledAgainAfterTraining() throws IOException {
        // Given a pause mode in which samples would go on
        fake = new FakeRun(folder, 1, List.of())
                .pausing(PauseMode.IN_PLACE)
                .colocated()
                .serve();
        fake.core.hold("sample-run/0");
        fake.request(0);
        fake.phase(1, TRAIN, 0);
        engine().abortsNext = true;
        // When
        fake.core.advance(Duration.ofMillis(2100));
        assertThat(engine().calls).containsExactly("pause ABORT", RELEASE_ALL);
        fake.core.release("sample-run/0");
        fake.request(1);
        assertThat(fake.log.of(GroupSampled.class)).isEmpty();
        fake.publish(1);
        fake.phase(2, GENERATE, 1);
        // Then
        assertThat(fake.log.of(GroupSampled.class))
                .flatExtracting(GroupSampled::samples)
                .extracting(Sample::oldestVersion)
                .hasSize(2 * FakeRun.SAMPLES)
                .containsOnly(1);
    }

    @Test
    void generationTakesTheMemoryAgainInTheOrderThatLoadingNeeds() throws IOException {
        // Given
        colocated(1);
        fake.phase(1, TRAIN, 0);
        engine().calls.clear();
        // When
        fake.publish(1);
        fake.phase(2, GENERATE, 1);
        // Then
        assertThat(engine().calls).containsExactly("resume [WEIGHTS]", "load 1", RESUME_REST, "continue 1");
        assertThat(fake.log.of(WeightsLoaded.class))
                .extracting(WeightsLoaded::version, WeightsLoaded::verified)
                .containsExactly(
                        tuple(1, List.of("manifest sha-256", "files sha-256", "success", "model_info.weight_version")));
        assertThat(reached()).extracting(PhaseReached::number).containsExactly(1, 2);
        assertThat(fake.engines.launched).hasSize(1);
    }

    @Test
    void theTimeOfTrainingIsNoTimeOfAnUpdate() throws IOException {
        // Given
        colocated(1);
        fake.phase(1, TRAIN, 0);
        fake.core.advance(Duration.ofHours(1));
        // When
        fake.publish(1);
        fake.phase(2, GENERATE, 1);
        // Then: and no deadline ends an engine that waits for its trainer
        assertThat(fake.log.of(WeightsLoaded.class))
                .extracting(WeightsLoaded::seconds)
                .containsExactly(0.0);
        assertThat(fake.log.of(EngineStopped.class)).isEmpty();
    }

    @Test
    void generationWithTheFirstVersionLoadsTheSourceAgain() {
        // Given: what was released has lost its values
        colocated(1);
        fake.phase(1, TRAIN, 0);
        // When
        fake.phase(2, GENERATE, 0);
        // Then
        assertThat(engine().loaded).containsExactly(0);
        fake.request(0);
        assertThat(fake.log.of(GroupSampled.class)).hasSize(1);
    }

    @Test
    void generationWaitsForFilesThatAreNotVerifiedYet() throws IOException {
        // Given
        colocated(1);
        fake.phase(1, TRAIN, 0);
        fake.core.hold("verify-weights-1");
        // When
        fake.publish(1);
        fake.phase(2, GENERATE, 1);
        // Then
        assertThat(engine().released).isNotEmpty();
        fake.core.release("verify-weights-1");
        assertThat(engine().loaded).containsExactly(1);
        assertThat(reached()).extracting(PhaseReached::number).containsExactly(1, 2);
    }

    @Test
    void anEngineThatStartsWhenTrainingBeginsFinishesItsStartAndWarmsAfterTheNextGeneration() throws IOException {
        // Given
        fake = new FakeRun(folder, 1, List.of()).colocated();
        fake.core.hold("await-");
        fake.serve();
        // When
        fake.phase(1, TRAIN, 0);
        assertThat(reached()).isEmpty();
        fake.core.release("await-");
        // Then
        assertThat(engine().calls).containsExactly("pause ABORT", RELEASE_ALL);
        assertThat(engine().canaries).isEmpty();
        assertThat(reached()).hasSize(1);
        fake.publish(1);
        fake.phase(2, GENERATE, 1);
        assertThat(engine().canaries).hasSize(1);
        assertThat(fake.log.of(EngineReady.class))
                .extracting(EngineReady::weightVersion)
                .containsExactly(1);
    }

    @Test
    void anEngineThatLoadsWhenTrainingBeginsFinishesThatFirstAndIsGivenNoWork() throws IOException {
        // Given
        colocated(1);
        fake.core.hold("load-");
        fake.publish(1);
        fake.request(0);
        // When
        fake.phase(1, TRAIN, 1);
        fake.core.release("load-");
        // Then
        assertThat(engine().calls).containsExactly("pause ABORT", "load 1", "continue 1", "pause ABORT", RELEASE_ALL);
        assertThat(engine().requests).isEmpty();
        assertThat(reached()).hasSize(1);
    }

    @Test
    void anEngineThatDiesWhileItIsWaitedForHoldsNothingUpAndIsStartedAgainWithGeneration() throws IOException {
        // Given
        colocated(2);
        fake.core.hold("phase-engine-1");
        fake.phase(1, TRAIN, 0);
        assertThat(reached()).isEmpty();
        // When
        fake.engines.launched.getFirst().crash();
        fake.core.advance(Duration.ofMinutes(2));
        // Then
        assertThat(fake.engines.launched).hasSize(2);
        assertThat(reached())
                .singleElement()
                .satisfies(reached -> assertThat(reached.engines())
                        .extracting(EnginePlace::engineId)
                        .containsExactly("engine-2"));
        fake.publish(1);
        fake.phase(2, GENERATE, 1);
        assertThat(fake.engines.launched).hasSize(3);
        assertThat(fake.engines.newest().loaded).containsExactly(1);
    }

    @Test
    void anEngineThatDoesNotStopIsReplacedAndItsMemoryIsFreeWhenThePhaseIsReached() {
        // Given
        colocated(1);
        engine().refusesToStandStill = true;
        fake.core.hold("stop-");
        // When
        fake.phase(1, TRAIN, 0);
        // Then
        assertThat(fake.log.of(EngineUnhealthy.class).getFirst().reason())
                .contains("did not stand still for TRAIN", "requests still run after a pause");
        assertThat(reached()).isEmpty();
        fake.core.release("stop-");
        assertThat(reached())
                .singleElement()
                .satisfies(reached -> assertThat(reached.engines()).isEmpty());
    }

    @Test
    void anInstanceThatIsAssignedWhileOthersTrainStartsItsEnginesWithTheNextGeneration() throws IOException {
        // Given
        fake = new FakeRun(folder, 1, List.of()).colocated();
        fake.phase(7, TRAIN, 3);
        // When
        fake.serve();
        // Then
        assertThat(fake.engines.launched).isEmpty();
        assertThat(reached())
                .extracting(PhaseReached::number, PhaseReached::epoch)
                .containsExactly(tuple(7, 1));
        fake.publish(4);
        fake.phase(8, GENERATE, 4);
        assertThat(fake.engines.newest().loaded).containsExactly(4);
    }

    @Test
    void enginesThatAreTakenAwayAreWaitedForUntilTheyHaveEnded() {
        // Given
        colocated(2);
        fake.core.hold("stop-");
        fake.run.serve(new Share("run", 2, 1, List.of(), fake.share.recipe()), List.of());
        fake.core.settle();
        // When
        fake.phase(1, TRAIN, 0);
        // Then
        assertThat(reached()).isEmpty();
        fake.core.release("stop-");
        assertThat(reached()).hasSize(1);
    }

    @Test
    void aFingerprintIsReadBeforeTheWeightsAreReleased() throws IOException {
        // Given two engines, whose weights are compared after a load while they work
        colocated(2);
        fake.engines.launched.forEach(engine -> engine.checksum = "same");
        fake.core.hold("checksum-engine-1");
        fake.publish(1);
        // When
        fake.phase(1, TRAIN, 1);
        fake.core.advance(Duration.ofSeconds(10));
        // Then
        assertThat(fake.engines.launched.getFirst().released).isEmpty();
        assertThat(fake.engines.launched.getLast().released).hasSize(3);
        fake.core.release("checksum-engine-1");
        assertThat(fake.engines.launched.getFirst().released).hasSize(3);
        assertThat(reached()).hasSize(1);
    }

    @Test
    void theWorkerFindsMemoryForWeightsAndNothingElse() {
        // Given
        colocated(1);
        fake.phase(1, TRAIN, 0);
        engine().calls.clear();
        // When
        fake.phase(2, SYNC, 0);
        // Then
        assertThat(engine().calls).containsExactly("resume [WEIGHTS]");
        assertThat(engine().released).containsExactly(MemoryTag.KV_CACHE, MemoryTag.CUDA_GRAPH);
        assertThat(reached()).extracting(PhaseReached::number).containsExactly(1, 2);
    }

    @Test
    void whatTheWorkerHasSentIsCheckedAndServed() {
        // Given
        colocated(1);
        fake.phase(1, TRAIN, 0);
        fake.phase(2, SYNC, 0);
        engine().calls.clear();
        engine().sent("1");
        // When
        fake.publishDirectly(1, Transport.TENSOR);
        fake.phase(3, GENERATE, 1, "engine-1");
        // Then
        assertThat(engine().calls).containsExactly(RESUME_REST, "continue 1");
        assertThat(fake.log.of(WeightsLoaded.class))
                .extracting(WeightsLoaded::version, WeightsLoaded::verified)
                .containsExactly(tuple(1, List.of("sent by the worker", "model_info.weight_version")));
        fake.request(0);
        assertThat(fake.log.of(GroupSampled.class).getFirst().samples())
                .extracting(Sample::oldestVersion)
                .containsOnly(1);
    }

    @Test
    void anEngineThatHoldsAnotherVersionThanTheWorkerHasSentIsReplaced() {
        // Given
        colocated(1);
        fake.phase(1, SYNC, 0);
        engine().sent("0");
        // When
        fake.publishDirectly(1, Transport.TENSOR);
        fake.phase(2, GENERATE, 1, "engine-1");
        // Then
        assertThat(fake.log.of(EngineUnhealthy.class).getFirst().reason())
                .contains("version 1 was not loaded", "holds '0'");
    }

    @Test
    void aHigherNumberOvertakesWhatIsUnderWay() {
        // Given
        colocated(1);
        fake.core.hold("phase-");
        fake.phase(1, TRAIN, 0);
        // When
        fake.phase(2, SYNC, 0);
        fake.core.release("phase-");
        // Then
        assertThat(engine().calls).containsExactly("pause ABORT", RELEASE_ALL, "resume [WEIGHTS]");
        assertThat(reached()).extracting(PhaseReached::number).containsExactly(2);
    }

    @Test
    void generationThatOvertakesTheDrainOfATrainingLetsTheEngineGoOn() {
        // Given
        colocated(1);
        fake.core.hold("sample-run/0");
        fake.request(0);
        fake.phase(1, TRAIN, 0);
        // When
        fake.phase(2, GENERATE, 0);
        // Then
        fake.core.release("sample-run/0");
        assertThat(engine().calls).isEmpty();
        assertThat(fake.log.of(GroupSampled.class)).hasSize(1);
        assertThat(reached()).extracting(PhaseReached::number).containsExactly(2);
    }

    @Test
    void anOlderNumberAndAnOlderEpochAreIgnoredAndANewerEpochCounts() {
        // Given
        colocated(1);
        fake.phase(2, 5, TRAIN, 0);
        // When
        fake.phase(2, 4, GENERATE, 0);
        fake.phase(1, 6, GENERATE, 0);
        // Then
        assertThat(reached()).extracting(PhaseReached::number).containsExactly(5);
        assertThat(engine().released).hasSize(3);
        fake.phase(3, 5, TRAIN, 0);
        assertThat(reached()).extracting(PhaseReached::number).containsExactly(5, 5);
        fake.phase(3, 6, GENERATE, 0);
        assertThat(engine().released).isEmpty();
    }

    private void colocated(int engines) {
        fake = new FakeRun(folder, engines, List.of()).colocated().serve();
    }

    private FakeEngine engine() {
        return fake.engines.newest();
    }

    private List<PhaseReached> reached() {
        return fake.log.of(PhaseReached.class);
    }
}
