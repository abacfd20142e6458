package dev.sluice.trainer.scenario;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.events.EngineEvent.EngineReady;
import dev.sluice.events.EngineEvent.WeightsLoaded;
import dev.sluice.events.RunMetric;
import dev.sluice.events.Topics;
import dev.sluice.events.TrainingEvent.BatchFormed;
import dev.sluice.events.TrainingEvent.CheckpointSaved;
import dev.sluice.events.TrainingEvent.EvalCompleted;
import dev.sluice.events.TrainingEvent.GroupUse;
import dev.sluice.events.TrainingEvent.RolledBack;
import dev.sluice.events.TrainingEvent.StepCompleted;
import dev.sluice.events.TrainingEvent.TrainerReady;
import dev.sluice.events.TrainingEvent.WaitChanged;
import dev.sluice.events.TrainingRequest;
import dev.sluice.events.TrainingRequest.GuardAction;
import dev.sluice.events.TrainingRequest.Placement;
import dev.sluice.events.TrainingRequest.Transport;
import dev.sluice.events.WeightEvent.Phase;
import dev.sluice.events.WeightEvent.PhaseChanged;
import dev.sluice.events.WeightEvent.WeightsPublished;
import dev.sluice.testkit.EventLog;
import dev.sluice.testkit.KafkaBroker;
import dev.sluice.trainer.loop.RunTrainer;
import dev.sluice.trainer.scenario.WeightChain.Advantage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.assertj.core.groups.Tuple;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** Runs whose weights go from the worker's memory into engines', without files: the worker process calls the engine. */
@ExtendWith(KafkaBroker.class)
class DirectWeightsIT {
    private static final Duration DEADLINE = Duration.ofSeconds(60);

    @TempDir
    Path dataRoot;

    @ParameterizedTest
    @CsvSource({"NCCL, 0", "NCCL, 1", "TENSOR, 0", "TENSOR, 1"})
    void eachStepsWeightsAreSentToEnginesThatStandStill(Transport transport, int maxPolicyLag, KafkaBroker kafka)
            throws IOException {
        String runId = kafka.newRunId("direct");
        try (Scenario scenario = direct(kafka, runId, transport);
                EventLog log = kafka.follow(Topics.TRAINING, Topics.WEIGHTS, Topics.GROUP_EVENTS, Topics.ENGINES);
                SmallRollout rollout = rollout(kafka, scenario)) {
            scenario.set("rollout.maxPolicyLag", maxPolicyLag);
            RunTrainer trainer = scenario.trainer(1);
            trainer.start();

            CheckpointSaved last = log.await(runId, CheckpointSaved.class, CheckpointSaved::last, DEADLINE);
            trainer.end(DEADLINE);

            assertWholeRun(log, runId, last);
            assertThat(log.events(runId, WeightsPublished.class))
                    .extracting(WeightsPublished::version)
                    .containsExactly(0, 1, 2, 3, 4, 5, 6, 7, 8);
            assertThat(log.events(runId, WeightsPublished.class).subList(1, 9))
                    .allSatisfy(published -> assertThat(published)
                            .returns(transport, WeightsPublished::transport)
                            .returns(null, WeightsPublished::directory));
            assertThat(log.events(runId, WeightsLoaded.class))
                    .extracting(WeightsLoaded::version)
                    .containsSequence(1, 2, 3, 4, 5, 6, 7, 8);
            assertThat(dataRoot.resolve("runs").resolve(runId).resolve("weights"))
                    .doesNotExist();
            assertThat(log.events(runId, EvalCompleted.class))
                    .extracting(EvalCompleted::step, EvalCompleted::prompts, EvalCompleted::weightVersion)
                    .containsExactly(Tuple.tuple(0, 10, 0), Tuple.tuple(8, 10, 8));
            assertThat(log.events(runId, BatchFormed.class))
                    .flatExtracting(BatchFormed::groups)
                    .extracting(GroupUse::policyLag)
                    .allMatch(lag -> (int) lag <= maxPolicyLag);
        }
    }

    @Test
    void theGroupIsFormedOnceForTheSameEngines(KafkaBroker kafka) throws IOException {
        String runId = kafka.newRunId("one-group");
        Path notes = dataRoot.resolve("notes");
        try (Scenario scenario = direct(kafka, runId, Transport.NCCL);
                EventLog log = kafka.follow(Topics.TRAINING);
                SmallRollout rollout = rollout(kafka, scenario)) {
            scenario.set("training.steps", 3);
            scenario.configuration.put("sluice.trainer.worker.environment." + ChainWorkerMain.NOTES, notes.toString());
            scenario.configuration.put("sluice.trainer.worker.meeting-host", "10.0.0.7");
            rollout.note(notes);
            RunTrainer trainer = scenario.trainer(1);
            trainer.start();
            log.await(runId, CheckpointSaved.class, CheckpointSaved::last, DEADLINE);
            trainer.end(DEADLINE);

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
        String runId = kafka.newRunId("joiner");
        try (Scenario scenario = direct(kafka, runId, transport);
                EventLog log = kafka.follow(Topics.TRAINING, Topics.WEIGHTS, Topics.GROUP_EVENTS, Topics.ENGINES);
                SmallRollout rollout = rollout(kafka, scenario)) {
            rollout.pauseAt(4);
            RunTrainer trainer = scenario.trainer(1);
            trainer.start();
            log.await(runId, PhaseChanged.class, changed -> generates(changed, 4), DEADLINE);

            rollout.replaceEngine();
            rollout.goOn();
            CheckpointSaved last = log.await(runId, CheckpointSaved.class, CheckpointSaved::last, DEADLINE);
            trainer.end(DEADLINE);

            assertWholeRun(log, runId, last);
            assertThat(log.events(runId, WeightsPublished.class))
                    .extracting(WeightsPublished::version)
                    .containsExactly(0, 1, 2, 3, 4, 5, 6, 7, 8);
            assertThat(log.events(runId, EngineReady.class))
                    .extracting(EngineReady::weightVersion)
                    .containsExactly(0, 4);
            assertThat(log.events(runId, PhaseChanged.class))
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
        String runId = kafka.newRunId("direct-killed");
        try (Scenario scenario = direct(kafka, runId, transport);
                EventLog log = kafka.follow(Topics.TRAINING, Topics.WEIGHTS, Topics.GROUP_EVENTS, Topics.ENGINES);
                SmallRollout rollout = rollout(kafka, scenario)) {
            if (phase == Phase.GENERATE) {
                rollout.pauseAt(4);
            } else {
                rollout.mute(phase, 4);
            }
            RunTrainer first = scenario.trainer(1);
            first.start();
            log.await(
                    runId,
                    PhaseChanged.class,
                    changed -> changed.phase() == phase && changed.weightVersion() == 4,
                    DEADLINE);

            first.supersede(); // leaves everything as kill -9 would
            first.join(DEADLINE);
            if (!workerSurvives) {
                scenario.stopWorker();
            }
            rollout.speak();
            rollout.goOn();
            RunTrainer second = scenario.trainer(2);
            second.start();
            CheckpointSaved last = log.await(runId, CheckpointSaved.class, CheckpointSaved::last, DEADLINE);
            second.end(DEADLINE);

            assertWholeRun(log, runId, last);
            assertThat(log.events(runId, TrainerReady.class).getLast().how())
                    .isEqualTo(workerSurvives ? "attached to a living worker" : "resumed from a cut");
            assertThat(log.events(runId, WeightsPublished.class))
                    .extracting(WeightsPublished::version)
                    .containsExactly(0, 1, 2, 3, 4, 5, 6, 7, 8);
            assertThat(log.events(runId, WeightsLoaded.class))
                    .extracting(WeightsLoaded::version)
                    .contains(4, 8);
        }
    }

    @Test
    void instancesThatDoNotComeInTimeAreLeftOut(KafkaBroker kafka) throws IOException {
        String runId = kafka.newRunId("left-out");
        try (Scenario scenario = direct(kafka, runId, Transport.NCCL);
                EventLog log = kafka.follow(Topics.TRAINING, Topics.WEIGHTS, Topics.GROUP_EVENTS, Topics.ENGINES);
                SmallRollout rollout = rollout(kafka, scenario)) {
            scenario.configuration.put("sluice.trainer.waits.receivers", "3s");
            scenario.configuration.put("sluice.trainer.waits.shown-after", "1s");
            rollout.mute(Phase.SYNC, 3);
            RunTrainer trainer = scenario.trainer(1);
            trainer.start();

            PhaseChanged without = log.await(runId, PhaseChanged.class, changed -> generates(changed, 3), DEADLINE);
            rollout.speak();
            CheckpointSaved last = log.await(runId, CheckpointSaved.class, CheckpointSaved::last, DEADLINE);
            trainer.end(DEADLINE);

            assertThat(without.engines()).isEmpty();
            assertThat(log.events(runId, WaitChanged.class))
                    .extracting(WaitChanged::waitingFor)
                    .contains("engines that stand still for new weights");
            assertThat(log.events(runId, EngineReady.class))
                    .extracting(EngineReady::weightVersion)
                    .containsExactly(0, 3);
            assertWholeRun(log, runId, last);
        }
    }

    @Test
    void aRunThatIsCancelledWaitsForNoReceiversAndSavesItsCut(KafkaBroker kafka) throws IOException {
        String runId = kafka.newRunId("receivers-cancelled");
        try (Scenario scenario = direct(kafka, runId, Transport.NCCL);
                EventLog log = kafka.follow(Topics.TRAINING, Topics.WEIGHTS);
                SmallRollout rollout = rollout(kafka, scenario)) {
            scenario.configuration.put("sluice.trainer.waits.receivers", "10m");
            scenario.configuration.put("sluice.trainer.waits.shown-after", "1s");
            rollout.mute(Phase.SYNC, 3);
            RunTrainer trainer = scenario.trainer(1);
            trainer.start();
            log.await(
                    runId,
                    WaitChanged.class,
                    wait -> wait.waitingFor().equals("engines that stand still for new weights"),
                    DEADLINE);

            scenario.signals.stopping().complete("a test asks for it");
            CheckpointSaved last = log.await(runId, CheckpointSaved.class, CheckpointSaved::last, DEADLINE);
            trainer.join(DEADLINE);

            assertThat(last.step()).isEqualTo(3);
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"NCCL", "TENSOR"})
    void afterTwoFailuresInARowWeightsGoAsFiles(Transport transport, KafkaBroker kafka) throws IOException {
        String runId = kafka.newRunId("fallback");
        try (Scenario scenario = direct(kafka, runId, transport);
                EventLog log = kafka.follow(Topics.TRAINING, Topics.WEIGHTS, Topics.GROUP_EVENTS, Topics.ENGINES);
                SmallRollout rollout = rollout(kafka, scenario)) {
            rollout.refuseWeights(true);
            RunTrainer trainer = scenario.trainer(1);
            trainer.start();

            CheckpointSaved last = log.await(runId, CheckpointSaved.class, CheckpointSaved::last, DEADLINE);
            trainer.end(DEADLINE);

            assertWholeRun(log, runId, last);
            assertThat(log.events(runId, WeightsPublished.class))
                    .extracting(WeightsPublished::version, WeightsPublished::transport, WeightsPublished::supersedes)
                    .startsWith(
                            Tuple.tuple(0, Transport.DISK, null),
                            Tuple.tuple(1, transport, null),
                            Tuple.tuple(2, Transport.DISK, 1),
                            Tuple.tuple(3, Transport.DISK, null));
            assertThat(log.events(runId, WaitChanged.class))
                    .extracting(WaitChanged::waitingFor)
                    .contains("another trainer, to send weights from memory again; until then they go as files");
        }
    }

    @Test
    void weightsThatAGuardTookBackAreSentUnderANewVersion(KafkaBroker kafka) throws IOException {
        String runId = kafka.newRunId("direct-guarded");
        try (Scenario scenario = direct(kafka, runId, Transport.NCCL);
                EventLog log = kafka.follow(Topics.TRAINING, Topics.WEIGHTS, Topics.GROUP_EVENTS, Topics.ENGINES);
                SmallRollout rollout = rollout(kafka, scenario)) {
            rollout.solve(cursor -> cursor == 8 || cursor == 9);
            scenario.guards = List.of(new TrainingRequest.Guard(
                    RunMetric.EQUAL_REWARD_GROUPS.wireName(), 0.9, 1, GuardAction.ROLLBACK, 0));
            RunTrainer trainer = scenario.trainer(1);
            trainer.start();

            log.await(runId, CheckpointSaved.class, CheckpointSaved::last, DEADLINE);
            trainer.end(DEADLINE);

            assertThat(log.events(runId, RolledBack.class)).singleElement().returns(3, RolledBack::toStep);
            WeightsPublished again = log.events(runId, WeightsPublished.class).stream()
                    .filter(published -> published.supersedes() != null)
                    .findFirst()
                    .orElseThrow();
            assertThat(again).returns(6, WeightsPublished::version).returns(3, WeightsPublished::step);
            assertThat(log.events(runId, WeightsLoaded.class))
                    .extracting(WeightsLoaded::version)
                    .contains(6);
        }
    }

    private static boolean generates(PhaseChanged changed, int version) {
        return changed.phase() == Phase.GENERATE && changed.weightVersion() == version;
    }

    private static void assertWholeRun(EventLog log, String runId, CheckpointSaved last) throws IOException {
        assertThat(log.events(runId, StepCompleted.class))
                .extracting(StepCompleted::step)
                .containsExactly(1, 2, 3, 4, 5, 6, 7, 8);
        assertThat(log.events(runId, PhaseChanged.class))
                .extracting(PhaseChanged::number)
                .isSorted()
                .doesNotHaveDuplicates();
        assertThat(WeightChain.in(last)).isEqualTo(WeightChain.byTheLog(log, runId, Advantage.GRPO));
    }

    private Scenario direct(KafkaBroker kafka, String runId, Transport transport) throws IOException {
        Scenario scenario = new Scenario(kafka.connection("trainer-test"), runId, dataRoot, 0);
        scenario.plan =
                Scenario.plan(transport == Transport.TENSOR ? Placement.COLOCATED : Placement.DISAGGREGATED, transport);
        return scenario;
    }

    private static SmallRollout rollout(KafkaBroker kafka, Scenario scenario) {
        SmallRollout rollout = new SmallRollout(kafka.connection("rollout-test"), scenario.runId);
        scenario.signals.servedBy(List.of(rollout.share()));
        return rollout;
    }
}
