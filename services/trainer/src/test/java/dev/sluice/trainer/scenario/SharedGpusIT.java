package dev.sluice.trainer.scenario;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.checkpoint.Conversion;
import dev.sluice.checkpoint.Progress;
import dev.sluice.events.MetricPoint;
import dev.sluice.events.Topics;
import dev.sluice.events.TrainingEvent.BatchFormed;
import dev.sluice.events.TrainingEvent.CheckpointSaved;
import dev.sluice.events.TrainingEvent.EvalCompleted;
import dev.sluice.events.TrainingEvent.GroupUse;
import dev.sluice.events.TrainingEvent.StepCompleted;
import dev.sluice.events.TrainingEvent.TrainerLost;
import dev.sluice.events.TrainingEvent.WaitChanged;
import dev.sluice.events.TrainingRequest.Placement;
import dev.sluice.events.TrainingRequest.Transport;
import dev.sluice.events.WeightEvent;
import dev.sluice.events.WeightEvent.Phase;
import dev.sluice.events.WeightEvent.PhaseChanged;
import dev.sluice.events.WeightEvent.WeightsPublished;
import dev.sluice.testkit.EventLog;
import dev.sluice.testkit.KafkaBroker;
import dev.sluice.trainer.loop.RunTrainer;
import dev.sluice.trainer.scenario.WeightChain.Advantage;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Runs whose engines and training take turns on the same GPUs. */
@ExtendWith(KafkaBroker.class)
class SharedGpusIT {
    private static final Duration DEADLINE = Duration.ofSeconds(60);
    private static final Path ROOT = Path.of(System.getProperty("sluice.root"));

    @TempDir
    Path dataRoot;

    @Test
    void theWorkerIsTouchedOnlyWhileEnginesHaveGivenTheirMemoryBack(KafkaBroker kafka) throws IOException {
        String runId = kafka.newRunId("turns");
        Path notes = dataRoot.resolve("notes");
        try (Scenario scenario = colocated(kafka, runId, Transport.DISK);
                EventLog log = kafka.follow(Topics.TRAINING, Topics.WEIGHTS, Topics.METRICS, Topics.GROUP_EVENTS);
                SmallRollout rollout = rollout(kafka, scenario)) {
            scenario.set("training.steps", 3);
            scenario.set("checkpoints.everySteps", 2);
            scenario.configuration.put("sluice.trainer.worker.environment." + ChainWorkerMain.NOTES, notes.toString());
            rollout.note(notes);
            RunTrainer trainer = scenario.trainer(1);
            trainer.start();

            CheckpointSaved last = log.await(runId, CheckpointSaved.class, CheckpointSaved::last, DEADLINE);
            trainer.join(DEADLINE); // ended sooner, it would not ask the worker to end

            List<String> begin = List.of("phase TRAIN", "/load", "/onload", "/offload", "phase GENERATE");
            List<String> step = List.of("phase TRAIN", "/onload", "/train", "/export", "/offload", "phase GENERATE");
            List<String> withCut =
                    List.of("phase TRAIN", "/onload", "/train", "/export", "/save", "/offload", "phase GENERATE");
            List<String> end = List.of("phase TRAIN", "/onload", "/save", "/shutdown");
            assertThat(story(notes)).isEqualTo(flat(begin, step, withCut, step, end));
            assertThat(WeightChain.in(last)).isEqualTo(WeightChain.byTheLog(log, runId, Advantage.GRPO));
            assertThat(log.events(runId, EvalCompleted.class))
                    .extracting(EvalCompleted::step, EvalCompleted::prompts, EvalCompleted::weightVersion)
                    .containsExactly(
                            org.assertj.core.groups.Tuple.tuple(0, 10, 0),
                            org.assertj.core.groups.Tuple.tuple(3, 10, 3));
            assertThat(log.events(runId, MetricPoint.class))
                    .filteredOn(point -> point.step() == 2)
                    .extracting(MetricPoint::name, MetricPoint::value)
                    .contains(
                            org.assertj.core.groups.Tuple.tuple("perf/memory_before_offload", 2.0),
                            org.assertj.core.groups.Tuple.tuple("perf/memory_after_offload", 1.0),
                            org.assertj.core.groups.Tuple.tuple("perf/memory_after_onload", 2.0));
        }
    }

    @Test
    void withTheCpuWorkerPhasesTakeTurnsAroundPublications(KafkaBroker kafka) throws Exception {
        String runId = kafka.newRunId("turns-cpu");
        Path model = ROOT.resolve("deploy/examples/tiny/model");
        for (String file : List.of("config.json", "model.safetensors")) {
            Files.copy(model.resolve(file), dataRoot.resolve(file));
        }
        Conversion.toTorchDist(dataRoot, dataRoot.resolve("converted"), Progress.NONE);
        try (Scenario scenario = colocated(kafka, runId, Transport.DISK);
                EventLog log = kafka.follow(Topics.TRAINING, Topics.WEIGHTS);
                SmallRollout rollout = rollout(kafka, scenario)) {
            scenario.workerCommand = cpuWorker();
            scenario.set("training.steps", 3);
            RunTrainer trainer = scenario.trainer(1);
            trainer.start();

            log.await(runId, CheckpointSaved.class, CheckpointSaved::last, DEADLINE);
            trainer.end(DEADLINE);

            assertThat(log.events(runId, WeightEvent.class))
                    .extracting(SharedGpusIT::told)
                    .containsExactly(
                            "TRAIN",
                            "v0",
                            "GENERATE 0",
                            "TRAIN",
                            "v1",
                            "GENERATE 1",
                            "TRAIN",
                            "v2",
                            "GENERATE 2",
                            "TRAIN",
                            "v3",
                            "GENERATE 3",
                            "TRAIN");
            assertThat(log.events(runId, PhaseChanged.class))
                    .extracting(PhaseChanged::number)
                    .containsExactlyElementsOf(
                            IntStream.rangeClosed(1, 9).boxed().toList());
            assertThat(log.events(runId, StepCompleted.class))
                    .extracting(StepCompleted::step)
                    .containsExactly(1, 2, 3);
        }
    }

    /** Whose worker is left, and in which phase engines have not answered yet. */
    @ParameterizedTest
    @CsvSource({"TRAIN, true", "TRAIN, false", "GENERATE, true", "GENERATE, false"})
    void aSuccessorTakesTheGpusFirst(Phase phase, boolean workerSurvives, KafkaBroker kafka) throws IOException {
        String runId = kafka.newRunId("turns-killed");
        try (Scenario scenario = colocated(kafka, runId, Transport.DISK);
                EventLog log = kafka.follow(Topics.TRAINING, Topics.WEIGHTS, Topics.GROUP_EVENTS);
                SmallRollout rollout = rollout(kafka, scenario)) {
            if (phase == Phase.TRAIN) {
                rollout.mute(phase, 4);
            } else {
                rollout.pauseAt(4);
            }
            RunTrainer first = scenario.trainer(1);
            first.start();
            PhaseChanged newest = log.await(
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

            PhaseChanged next = log.events(runId, PhaseChanged.class).stream()
                    .filter(changed -> changed.number() == newest.number() + 1)
                    .findFirst()
                    .orElseThrow();
            assertThat(next).returns(2, PhaseChanged::epoch).returns(Phase.TRAIN, PhaseChanged::phase);
            assertWholeRun(log, runId, last);
        }
    }

    @Test
    void aWorkerThatDiesIsStartedAnewOnlyInTrainingsTurn(KafkaBroker kafka) throws IOException {
        String runId = kafka.newRunId("turns-worker-dies");
        try (Scenario scenario = colocated(kafka, runId, Transport.DISK);
                EventLog log = kafka.follow(Topics.TRAINING, Topics.WEIGHTS, Topics.GROUP_EVENTS);
                SmallRollout rollout = rollout(kafka, scenario)) {
            rollout.pauseAt(4);
            RunTrainer trainer = scenario.trainer(1);
            trainer.start();
            log.await(runId, PhaseChanged.class, changed -> told(changed).equals("GENERATE 4"), DEADLINE);

            scenario.stopWorker();
            rollout.goOn();
            CheckpointSaved last = log.await(runId, CheckpointSaved.class, CheckpointSaved::last, DEADLINE);
            trainer.end(DEADLINE);

            assertWholeRun(log, runId, last);
        }
    }

    @Test
    void groupsOfALaterStepAreTrainedOnWithinTheirLag(KafkaBroker kafka) throws IOException {
        String runId = kafka.newRunId("turns-lag");
        try (Scenario scenario = colocated(kafka, runId, Transport.DISK);
                EventLog log = kafka.follow(Topics.TRAINING, Topics.WEIGHTS, Topics.GROUP_EVENTS);
                SmallRollout rollout = rollout(kafka, scenario)) {
            scenario.set("rollout.maxPolicyLag", 2);
            RunTrainer trainer = scenario.trainer(1);
            trainer.start();

            CheckpointSaved last = log.await(runId, CheckpointSaved.class, CheckpointSaved::last, DEADLINE);
            trainer.end(DEADLINE);

            assertWholeRun(log, runId, last);
            assertThat(log.events(runId, BatchFormed.class))
                    .flatExtracting(BatchFormed::groups)
                    .extracting(GroupUse::policyLag)
                    .allMatch(lag -> (int) lag <= 2);
        }
    }

    @Test
    void theLastCutIsSavedBeforeEnginesGetTheGpusBackInVain(KafkaBroker kafka) throws IOException {
        String runId = kafka.newRunId("turns-last-cut");
        Path notes = dataRoot.resolve("notes");
        try (Scenario scenario = colocated(kafka, runId, Transport.DISK);
                EventLog log = kafka.follow(Topics.TRAINING, Topics.WEIGHTS, Topics.GROUP_EVENTS);
                SmallRollout rollout = rollout(kafka, scenario)) {
            scenario.set("training.steps", 2);
            scenario.set("evaluation", List.of());
            scenario.configuration.put("sluice.trainer.worker.environment." + ChainWorkerMain.NOTES, notes.toString());
            rollout.note(notes);
            RunTrainer trainer = scenario.trainer(1);
            trainer.start();

            CheckpointSaved last = log.await(runId, CheckpointSaved.class, CheckpointSaved::last, DEADLINE);
            trainer.join(DEADLINE); // ended sooner, it would not ask the worker to end

            List<String> begin = List.of("phase TRAIN", "/load", "/onload", "/offload", "phase GENERATE");
            List<String> step = List.of("phase TRAIN", "/onload", "/train", "/export", "/offload", "phase GENERATE");
            List<String> end = List.of("phase TRAIN", "/onload", "/train", "/export", "/save", "/shutdown");
            assertThat(story(notes)).isEqualTo(flat(begin, step, end));
            assertThat(WeightChain.in(last)).isEqualTo(WeightChain.byTheLog(log, runId, Advantage.GRPO));
        }
    }

    /** Before which version's samples are trained on, 0 while the first worker has none; the run is cancelled in that wait or before. */
    @ParameterizedTest
    @CsvSource({"DISK, 0, false", "DISK, 2, false", "DISK, 2, true", "TENSOR, 2, false"})
    void aRunThatIsCancelledWithoutItsGpusEndsAtOnceAndSaysSo(
            Transport transport, int version, boolean cancelledBefore, KafkaBroker kafka) throws IOException {
        String runId = kafka.newRunId("turns-cancelled-without");
        Phase silent = transport == Transport.TENSOR ? Phase.SYNC : Phase.TRAIN;
        try (Scenario scenario = colocated(kafka, runId, transport);
                EventLog log = kafka.follow(Topics.TRAINING, Topics.WEIGHTS);
                SmallRollout rollout = rollout(kafka, scenario)) {
            scenario.configuration.put("sluice.trainer.waits.hand-over", "10m");
            scenario.configuration.put("sluice.trainer.waits.last-hand-over", "1s");
            scenario.configuration.put("sluice.trainer.waits.shown-after", "1s");
            rollout.mute(silent, version);
            if (cancelledBefore) {
                rollout.pauseAt(version);
            }
            RunTrainer trainer = scenario.trainer(1);
            trainer.start();
            if (cancelledBefore) {
                log.await(runId, PhaseChanged.class, changed -> told(changed).equals("GENERATE " + version), DEADLINE);
            } else {
                log.await(
                        runId,
                        WaitChanged.class,
                        wait -> wait.waitingFor()
                                .equals("engines in phase " + silent.name().toLowerCase(Locale.ROOT)),
                        DEADLINE);
            }

            scenario.signals.stopping().complete("a test asks for it");
            TrainerLost lost = log.await(runId, TrainerLost.class, any -> true, DEADLINE);
            trainer.join(DEADLINE);

            assertThat(lost.retry()).isFalse();
            assertThat(lost.reason())
                    .isEqualTo(
                            "no last cut, those of before stay: engines in phase %s did not come within PT1S: 0 of 1 instances have answered; missing: rollout-%s"
                                    .formatted(silent.name().toLowerCase(Locale.ROOT), runId));
            assertThat(log.events(runId, CheckpointSaved.class)).noneMatch(CheckpointSaved::last);
            assertThat(log.events(runId, StepCompleted.class)).hasSize(version);
        }
    }

    @Test
    void aCancelledRunTakesTheGpusOnceMoreForItsCut(KafkaBroker kafka) throws IOException {
        String runId = kafka.newRunId("turns-cancelled");
        try (Scenario scenario = colocated(kafka, runId, Transport.DISK);
                EventLog log = kafka.follow(Topics.TRAINING, Topics.WEIGHTS);
                SmallRollout rollout = rollout(kafka, scenario)) {
            rollout.pauseAt(2);
            RunTrainer trainer = scenario.trainer(1);
            trainer.start();
            log.await(runId, PhaseChanged.class, changed -> told(changed).equals("GENERATE 2"), DEADLINE);

            scenario.signals.stopping().complete("a test asks for it");
            CheckpointSaved last = log.await(runId, CheckpointSaved.class, CheckpointSaved::last, DEADLINE);
            trainer.end(DEADLINE);

            assertThat(last.step()).isEqualTo(2);
            assertThat(told(log.events(runId, PhaseChanged.class).getLast())).isEqualTo("TRAIN");
        }
    }

    @Test
    void aWorkerThatCannotMoveItsMemoryIsRefusedWithWhatToDo(KafkaBroker kafka) throws IOException {
        String runId = kafka.newRunId("turns-refused");
        try (Scenario scenario = colocated(kafka, runId, Transport.DISK);
                EventLog log = kafka.follow(Topics.TRAINING);
                SmallRollout rollout = rollout(kafka, scenario)) {
            scenario.configuration.put("sluice.trainer.worker.environment." + ChainWorkerMain.CAPABILITIES, "train");
            RunTrainer trainer = scenario.trainer(1);
            trainer.start();

            TrainerLost lost = log.await(runId, TrainerLost.class, any -> true, DEADLINE);
            trainer.end(DEADLINE);

            assertThat(lost.retry()).isFalse();
            assertThat(lost.reason())
                    .isEqualTo(
                            "the worker (chain 1) names no capability offload, which engines on the same GPUs need; start another one, or set cluster.placement to disaggregated");
        }
    }

    @Test
    void aRunWhoseEnginesKeepTheirMemoryIsGivenUpWithTheReason(KafkaBroker kafka) throws IOException {
        String runId = kafka.newRunId("turns-kept");
        try (Scenario scenario = colocated(kafka, runId, Transport.DISK);
                EventLog log = kafka.follow(Topics.TRAINING, Topics.WEIGHTS);
                SmallRollout rollout = rollout(kafka, scenario)) {
            scenario.configuration.put("sluice.trainer.waits.hand-over", "3s");
            scenario.configuration.put("sluice.trainer.waits.shown-after", "1s");
            rollout.mute(Phase.TRAIN, 2);
            RunTrainer trainer = scenario.trainer(1);
            trainer.start();

            TrainerLost lost = log.await(runId, TrainerLost.class, any -> true, DEADLINE);
            trainer.end(DEADLINE);

            assertThat(lost.retry()).isTrue();
            assertThat(lost.reason())
                    .isEqualTo(
                            "engines in phase train did not come within PT3S: 0 of 1 instances have answered; missing: rollout-"
                                    + runId);
            assertThat(log.events(runId, WaitChanged.class))
                    .extracting(WaitChanged::waitingFor)
                    .contains("engines in phase train");
            assertThat(log.events(runId, StepCompleted.class))
                    .extracting(StepCompleted::step)
                    .containsExactly(1, 2);
        }
    }

    private static void assertWholeRun(EventLog log, String runId, CheckpointSaved last) throws IOException {
        assertThat(log.events(runId, StepCompleted.class))
                .extracting(StepCompleted::step)
                .containsExactly(1, 2, 3, 4, 5, 6, 7, 8);
        assertThat(log.events(runId, WeightsPublished.class))
                .extracting(WeightsPublished::version)
                .containsExactly(0, 1, 2, 3, 4, 5, 6, 7, 8);
        assertThat(log.events(runId, PhaseChanged.class))
                .extracting(PhaseChanged::number)
                .isSorted()
                .doesNotHaveDuplicates();
        assertThat(WeightChain.in(last)).isEqualTo(WeightChain.byTheLog(log, runId, Advantage.GRPO));
    }

    private Scenario colocated(KafkaBroker kafka, String runId, Transport transport) throws IOException {
        Scenario scenario = new Scenario(kafka.connection("trainer-test"), runId, dataRoot, 0);
        scenario.plan = Scenario.plan(Placement.COLOCATED, transport);
        return scenario;
    }

    private static SmallRollout rollout(KafkaBroker kafka, Scenario scenario) {
        SmallRollout rollout = new SmallRollout(kafka.connection("rollout-test"), scenario.runId);
        scenario.signals.servedBy(List.of(rollout.share()));
        return rollout;
    }

    private static List<String> cpuWorker() {
        Path backend = ROOT.resolve("services/cpu-backend/target");
        return List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx256m",
                "-XX:+UseSerialGC",
                "--enable-native-access=ALL-UNNAMED",
                "-cp",
                backend.resolve("sluice-cpu-backend-0.1.0-SNAPSHOT.jar") + File.pathSeparator + backend.resolve("lib")
                        + "/*",
                "dev.sluice.cpu.worker.WorkerMain");
    }

    private static String told(WeightEvent event) {
        return switch (event) {
            case WeightsPublished published -> "v" + published.version();
            case PhaseChanged changed when changed.phase() == Phase.GENERATE -> "GENERATE " + changed.weightVersion();
            case PhaseChanged changed -> changed.phase().name();
            case WeightEvent.WeightsRetired retired -> "retired v" + retired.version();
        };
    }

    private static List<String> story(Path notes) throws IOException {
        return Files.readAllLines(notes).stream()
                .map(line -> line.startsWith("phase") ? line : line.substring(0, line.indexOf(' ')))
                .toList();
    }

    @SafeVarargs
    private static List<String> flat(List<String>... parts) {
        List<String> all = new ArrayList<>();
        for (List<String> part : parts) {
            all.addAll(part);
        }
        return Collections.unmodifiableList(all);
    }
}
