package dev.sluice.trainer.scenario;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;

import dev.sluice.events.EngineEvent.EngineReady;
import dev.sluice.events.EngineEvent.WeightsLoaded;
import dev.sluice.events.RunMetric;
import dev.sluice.events.TrainingEvent.BatchFormed;
import dev.sluice.events.TrainingEvent.CheckpointSaved;
import dev.sluice.events.TrainingEvent.EvalCompleted;
import dev.sluice.events.TrainingEvent.GroupUse;
import dev.sluice.events.TrainingEvent.RolledBack;
import dev.sluice.events.TrainingEvent.TrainerReady;
import dev.sluice.events.TrainingEvent.WaitChanged;
import dev.sluice.events.TrainingRequest;
import dev.sluice.events.TrainingRequest.GuardAction;
import dev.sluice.events.TrainingRequest.Placement;
import dev.sluice.events.TrainingRequest.Transport;
import dev.sluice.events.WeightEvent.Phase;
import dev.sluice.events.WeightEvent.PhaseChanged;
import dev.sluice.events.WeightEvent.WeightsPublished;
import dev.sluice.testkit.KafkaBroker;
import dev.sluice.trainer.loop.RunTrainer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** Runs whose weights go from the worker's memory into engines', without files: the worker process calls the engine. */
@ExtendWith(KafkaBroker.class)
class DirectWeightsIT {
    @TempDir
    Path dataRoot;

    @ParameterizedTest
    @CsvSource({"NCCL, 0", "NCCL, 1", "TENSOR, 0", "TENSOR, 1"})
    void eachStepsWeightsAreSentToEnginesThatStandStill(Transport transport, int maxPolicyLag, KafkaBroker kafka)
            throws IOException {
        try (SmallRun run = direct(kafka, "direct", transport)) {
            run.scenario.set("rollout.maxPolicyLag", maxPolicyLag);
            RunTrainer trainer = run.start(1);

            CheckpointSaved last = run.awaitLastCut();
            trainer.end(SmallRun.DEADLINE);

            run.assertWhole(last);
            assertThat(run.events(WeightsPublished.class))
                    .extracting(WeightsPublished::version)
                    .containsExactly(0, 1, 2, 3, 4, 5, 6, 7, 8);
            assertThat(run.events(WeightsPublished.class).subList(1, 9))
                    .allSatisfy(published -> assertThat(published)
                            .returns(transport, WeightsPublished::transport)
                            .returns(null, WeightsPublished::directory));
            assertThat(run.events(WeightsLoaded.class))
                    .extracting(WeightsLoaded::version)
                    .containsSequence(1, 2, 3, 4, 5, 6, 7, 8);
            assertThat(dataRoot.resolve("runs").resolve(run.id).resolve("weights"))
                    .doesNotExist();
            assertThat(run.events(EvalCompleted.class))
                    .extracting(EvalCompleted::step, EvalCompleted::prompts, EvalCompleted::weightVersion)
                    .containsExactly(tuple(0, 10, 0), tuple(8, 10, 8));
            assertThat(run.events(BatchFormed.class))
                    .flatExtracting(BatchFormed::groups)
                    .extracting(GroupUse::policyLag)
                    .allMatch(lag -> (int) lag <= maxPolicyLag);
        }
    }

    @Test
    void theGroupIsFormedOnceForTheSameEngines(KafkaBroker kafka) throws IOException {
        try (SmallRun run = direct(kafka, "one-group", Transport.NCCL)) {
            Path notes = run.notes(dataRoot);
            run.scenario.set("training.steps", 3);
            run.scenario.configuration.put("sluice.trainer.worker.meeting-host", "10.0.0.7");
            RunTrainer trainer = run.start(1);
            run.awaitLastCut();
            trainer.end(SmallRun.DEADLINE);

            List<String> story = Files.readAllLines(notes);
            assertThat(story.stream().filter(line -> line.startsWith("/weights/connect")))
                    .singleElement()
                    .asString()
                    .contains("\"masterAddress\":\"10.0.0.7\"");
            assertThat(story.stream()
                            .filter(line -> !line.startsWith("/weights/connect"))
                            .map(line -> line.startsWith("phase") ? line : line.substring(0, line.indexOf(' '))))
                    .containsSequence("/train", "phase SYNC", "/weights/send", "phase GENERATE", "/train");
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"NCCL", "TENSOR"})
    void anEngineThatStartsLaterGetsTheNewestWeights(Transport transport, KafkaBroker kafka) throws IOException {
        try (SmallRun run = direct(kafka, "joiner", transport)) {
            run.rollout.pauseAt(4);
            RunTrainer trainer = run.start(1);
            run.await(PhaseChanged.class, changed -> generates(changed, 4));

            run.rollout.replaceEngine();
            run.rollout.goOn();
            CheckpointSaved last = run.awaitLastCut();
            trainer.end(SmallRun.DEADLINE);

            run.assertWhole(last);
            assertThat(run.events(WeightsPublished.class))
                    .extracting(WeightsPublished::version)
                    .containsExactly(0, 1, 2, 3, 4, 5, 6, 7, 8);
            assertThat(run.events(EngineReady.class))
                    .extracting(EngineReady::weightVersion)
                    .containsExactly(0, 4);
            assertThat(run.events(PhaseChanged.class))
                    .filteredOn(changed -> generates(changed, 4))
                    .hasSize(2);
        }
    }

    @ParameterizedTest
    @CsvSource({
        "NCCL, SYNC, true",
        "NCCL, SYNC, false",
        "NCCL, GENERATE, false",
        "TENSOR, TRAIN, true",
        "TENSOR, SYNC, true",
        "TENSOR, SYNC, false",
        "TENSOR, GENERATE, true"
    })
    void aSuccessorSendsWhatItsPredecessorHasNotSent(
            Transport transport, Phase phase, boolean workerSurvives, KafkaBroker kafka) throws IOException {
        try (SmallRun run = direct(kafka, "direct-killed", transport)) {
            if (phase == Phase.GENERATE) {
                run.rollout.pauseAt(4);
            } else {
                run.rollout.mute(phase, 4);
            }
            RunTrainer first = run.start(1);
            run.await(PhaseChanged.class, changed -> changed.phase() == phase && changed.weightVersion() == 4);

            CheckpointSaved last = run.endBySuccessor(first, workerSurvives);

            run.assertWhole(last);
            assertThat(run.events(TrainerReady.class).getLast().how())
                    .isEqualTo(workerSurvives ? "attached to a living worker" : "resumed from a cut");
            assertThat(run.events(WeightsPublished.class))
                    .extracting(WeightsPublished::version)
                    .containsExactly(0, 1, 2, 3, 4, 5, 6, 7, 8);
            assertThat(run.events(WeightsLoaded.class))
                    .extracting(WeightsLoaded::version)
                    .contains(4, 8);
        }
    }

    @Test
    void instancesThatDoNotComeInTimeAreLeftOut(KafkaBroker kafka) throws IOException {
        try (SmallRun run = direct(kafka, "left-out", Transport.NCCL)) {
            run.scenario.configuration.put("sluice.trainer.waits.receivers", "3s");
            run.scenario.configuration.put("sluice.trainer.waits.shown-after", "1s");
            run.rollout.mute(Phase.SYNC, 3);
            RunTrainer trainer = run.start(1);

            PhaseChanged without = run.await(PhaseChanged.class, changed -> generates(changed, 3));
            run.rollout.speak();
            CheckpointSaved last = run.awaitLastCut();
            trainer.end(SmallRun.DEADLINE);

            assertThat(without.engines()).isEmpty();
            assertThat(run.events(WaitChanged.class))
                    .extracting(WaitChanged::waitingFor)
                    .contains("engines that stand still for new weights");
            assertThat(run.events(EngineReady.class))
                    .extracting(EngineReady::weightVersion)
                    .containsExactly(0, 3);
            run.assertWhole(last);
        }
    }

    @Test
    void aRunThatIsCancelledWaitsForNoReceiversAndSavesItsCut(KafkaBroker kafka) throws IOException {
        try (SmallRun run = direct(kafka, "receivers-cancelled", Transport.NCCL)) {
            run.scenario.configuration.put("sluice.trainer.waits.receivers", "10m");
            run.scenario.configuration.put("sluice.trainer.waits.shown-after", "1s");
            run.rollout.mute(Phase.SYNC, 3);
            RunTrainer trainer = run.start(1);
            run.await(WaitChanged.class, wait -> wait.waitingFor().equals("engines that stand still for new weights"));

            run.scenario.signals.stopping().complete("a test asks for it");
            CheckpointSaved last = run.awaitLastCut();
            trainer.join(SmallRun.DEADLINE);

            assertThat(last.step()).isEqualTo(3);
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"NCCL", "TENSOR"})
    void afterTwoFailuresInARowWeightsGoAsFiles(Transport transport, KafkaBroker kafka) throws IOException {
        try (SmallRun run = direct(kafka, "fallback", transport)) {
            run.rollout.refuseWeights(true);
            RunTrainer trainer = run.start(1);

            CheckpointSaved last = run.awaitLastCut();
            trainer.end(SmallRun.DEADLINE);

            run.assertWhole(last);
            assertThat(run.events(WeightsPublished.class))
                    .extracting(WeightsPublished::version, WeightsPublished::transport, WeightsPublished::supersedes)
                    .startsWith(
                            tuple(0, Transport.DISK, null),
                            tuple(1, transport, null),
                            tuple(2, Transport.DISK, 1),
                            tuple(3, Transport.DISK, null));
            assertThat(run.events(WaitChanged.class))
                    .extracting(WaitChanged::waitingFor)
                    .contains("another trainer, to send weights from memory again; until then they go as files");
        }
    }

    @Test
    void weightsThatAGuardTookBackAreSentUnderANewVersion(KafkaBroker kafka) throws IOException {
        try (SmallRun run = direct(kafka, "direct-guarded", Transport.NCCL)) {
            run.rollout.solve(cursor -> cursor == 8 || cursor == 9);
            run.scenario.guards = List.of(new TrainingRequest.Guard(
                    RunMetric.EQUAL_REWARD_GROUPS.wireName(), 0.9, 1, GuardAction.ROLLBACK, 0));
            RunTrainer trainer = run.start(1);

            run.awaitLastCut();
            trainer.end(SmallRun.DEADLINE);

            assertThat(run.events(RolledBack.class)).singleElement().returns(3, RolledBack::toStep);
            WeightsPublished again = run.events(WeightsPublished.class).stream()
                    .filter(published -> published.supersedes() != null)
                    .findFirst()
                    .orElseThrow();
            assertThat(again).returns(6, WeightsPublished::version).returns(3, WeightsPublished::step);
            assertThat(run.events(WeightsLoaded.class))
                    .extracting(WeightsLoaded::version)
                    .contains(6);
        }
    }

    private static boolean generates(PhaseChanged changed, int version) {
        return changed.phase() == Phase.GENERATE && changed.weightVersion() == version;
    }

    private SmallRun direct(KafkaBroker kafka, String name, Transport transport) throws IOException {
        Placement placement = transport == Transport.TENSOR ? Placement.COLOCATED : Placement.DISAGGREGATED;
        return new SmallRun(kafka, name, dataRoot, placement, transport);
    }
}
