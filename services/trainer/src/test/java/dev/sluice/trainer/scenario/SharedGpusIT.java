package dev.sluice.trainer.scenario;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;

import dev.sluice.checkpoint.Conversion;
import dev.sluice.checkpoint.Progress;
import dev.sluice.events.MetricPoint;
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
import dev.sluice.testkit.KafkaBroker;
import dev.sluice.trainer.loop.RunTrainer;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
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
    private static final Path ROOT = Path.of(System.getProperty("sluice.root"));

    @TempDir
    Path dataRoot;

    @Test
    void theWorkerIsTouchedOnlyWhileEnginesHaveGivenTheirMemoryBack(KafkaBroker kafka) throws IOException {
        try (SmallRun run = colocated(kafka, "turns", Transport.DISK)) {
            Path notes = run.notes(dataRoot);
            run.scenario.set("training.steps", 3);
            run.scenario.set("checkpoints.everySteps", 2);
            RunTrainer trainer = run.start(1);

            CheckpointSaved last = run.awaitLastCut();
            trainer.join(SmallRun.DEADLINE); // ended sooner, it would not ask the worker to end

            List<String> begin = List.of("phase TRAIN", "/load", "/onload", "/offload", "phase GENERATE");
            List<String> step = List.of("phase TRAIN", "/onload", "/train", "/export", "/offload", "phase GENERATE");
            List<String> withCut =
                    List.of("phase TRAIN", "/onload", "/train", "/export", "/save", "/offload", "phase GENERATE");
            List<String> end = List.of("phase TRAIN", "/onload", "/save", "/shutdown");
            assertThat(story(notes)).isEqualTo(flat(begin, step, withCut, step, end));
            run.assertTrained(last);
            assertThat(run.events(EvalCompleted.class))
                    .extracting(EvalCompleted::step, EvalCompleted::prompts, EvalCompleted::weightVersion)
                    .containsExactly(tuple(0, 10, 0), tuple(3, 10, 3));
            assertThat(run.events(MetricPoint.class))
                    .filteredOn(point -> point.step() == 2)
                    .extracting(MetricPoint::name, MetricPoint::value)
                    .contains(
                            tuple("perf/memory_before_offload", 2.0),
                            tuple("perf/memory_after_offload", 1.0),
                            tuple("perf/memory_after_onload", 2.0));
        }
    }

    @Test
    void withTheCpuWorkerPhasesTakeTurnsAroundPublications(KafkaBroker kafka) throws Exception {
        Path model = ROOT.resolve("deploy/examples/tiny/model");
        for (String file : List.of("config.json", "model.safetensors")) {
            Files.copy(model.resolve(file), dataRoot.resolve(file));
        }
        Conversion.toTorchDist(dataRoot, dataRoot.resolve("converted"), Progress.NONE);
        try (SmallRun run = colocated(kafka, "turns-cpu", Transport.DISK)) {
            run.scenario.workerCommand = cpuWorker();
            run.scenario.set("training.steps", 3);
            RunTrainer trainer = run.start(1);

            run.awaitLastCut();
            trainer.end(SmallRun.DEADLINE);

            assertThat(run.events(WeightEvent.class))
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
            assertThat(run.events(PhaseChanged.class))
                    .extracting(PhaseChanged::number)
                    .containsExactlyElementsOf(
                            IntStream.rangeClosed(1, 9).boxed().toList());
            assertThat(run.events(StepCompleted.class))
                    .extracting(StepCompleted::step)
                    .containsExactly(1, 2, 3);
        }
    }

    /** Whose worker is left, and in which phase engines have not answered yet. */
    @ParameterizedTest
    @CsvSource({"TRAIN, true", "TRAIN, false", "GENERATE, true", "GENERATE, false"})
    void aSuccessorTakesTheGpusFirst(Phase phase, boolean workerSurvives, KafkaBroker kafka) throws IOException {
        try (SmallRun run = colocated(kafka, "turns-killed", Transport.DISK)) {
            if (phase == Phase.TRAIN) {
                run.rollout.mute(phase, 4);
            } else {
                run.rollout.pauseAt(4);
            }
            RunTrainer first = run.start(1);
            PhaseChanged newest =
                    run.await(PhaseChanged.class, changed -> changed.phase() == phase && changed.weightVersion() == 4);

            CheckpointSaved last = run.endBySuccessor(first, workerSurvives);

            PhaseChanged next = run.events(PhaseChanged.class).stream()
                    .filter(changed -> changed.number() == newest.number() + 1)
                    .findFirst()
                    .orElseThrow();
            assertThat(next).returns(2, PhaseChanged::epoch).returns(Phase.TRAIN, PhaseChanged::phase);
            assertWholeRun(run, last);
        }
    }

    @Test
    void aWorkerThatDiesIsStartedAnewOnlyInTrainingsTurn(KafkaBroker kafka) throws IOException {
        try (SmallRun run = colocated(kafka, "turns-worker-dies", Transport.DISK)) {
            run.rollout.pauseAt(4);
            RunTrainer trainer = run.start(1);
            run.await(PhaseChanged.class, changed -> told(changed).equals("GENERATE 4"));

            run.scenario.stopWorker();
            run.rollout.goOn();
            CheckpointSaved last = run.awaitLastCut();
            trainer.end(SmallRun.DEADLINE);

            assertWholeRun(run, last);
        }
    }

    @Test
    void groupsOfALaterStepAreTrainedOnWithinTheirLag(KafkaBroker kafka) throws IOException {
        try (SmallRun run = colocated(kafka, "turns-lag", Transport.DISK)) {
            run.scenario.set("rollout.maxPolicyLag", 2);
            RunTrainer trainer = run.start(1);

            CheckpointSaved last = run.awaitLastCut();
            trainer.end(SmallRun.DEADLINE);

            assertWholeRun(run, last);
            assertThat(run.events(BatchFormed.class))
                    .flatExtracting(BatchFormed::groups)
                    .extracting(GroupUse::policyLag)
                    .allMatch(lag -> (int) lag <= 2);
        }
    }

    @Test
    void theLastCutIsSavedBeforeEnginesGetTheGpusBackInVain(KafkaBroker kafka) throws IOException {
        try (SmallRun run = colocated(kafka, "turns-last-cut", Transport.DISK)) {
            Path notes = run.notes(dataRoot);
            run.scenario.set("training.steps", 2);
            run.scenario.set("evaluation", List.of());
            RunTrainer trainer = run.start(1);

            CheckpointSaved last = run.awaitLastCut();
            trainer.join(SmallRun.DEADLINE); // ended sooner, it would not ask the worker to end

            List<String> begin = List.of("phase TRAIN", "/load", "/onload", "/offload", "phase GENERATE");
            List<String> step = List.of("phase TRAIN", "/onload", "/train", "/export", "/offload", "phase GENERATE");
            List<String> end = List.of("phase TRAIN", "/onload", "/train", "/export", "/save", "/shutdown");
            assertThat(story(notes)).isEqualTo(flat(begin, step, end));
            run.assertTrained(last);
        }
    }

    /** Before which version's samples are trained on, 0 while the first worker has none; the run is cancelled in that wait or before. */
    @ParameterizedTest
    @CsvSource({"DISK, 0, false", "DISK, 2, false", "DISK, 2, true", "TENSOR, 2, false"})
    void aRunThatIsCancelledWithoutItsGpusEndsAtOnceAndSaysSo(
            Transport transport, int version, boolean cancelledBefore, KafkaBroker kafka) throws IOException {
        Phase silent = transport == Transport.TENSOR ? Phase.SYNC : Phase.TRAIN;
        try (SmallRun run = colocated(kafka, "turns-cancelled-without", transport)) {
            run.scenario.configuration.put("sluice.trainer.waits.hand-over", "10m");
            run.scenario.configuration.put("sluice.trainer.waits.last-hand-over", "1s");
            run.scenario.configuration.put("sluice.trainer.waits.shown-after", "1s");
            run.rollout.mute(silent, version);
            if (cancelledBefore) {
                run.rollout.pauseAt(version);
            }
            RunTrainer trainer = run.start(1);
            if (cancelledBefore) {
                run.await(PhaseChanged.class, changed -> told(changed).equals("GENERATE " + version));
            } else {
                run.await(
                        WaitChanged.class,
                        wait -> wait.waitingFor()
                                .equals("engines in phase " + silent.name().toLowerCase(Locale.ROOT)));
            }

            run.scenario.signals.stopping().complete("a test asks for it");
            TrainerLost lost = run.await(TrainerLost.class, any -> true);
            trainer.join(SmallRun.DEADLINE);

            assertThat(lost.retry()).isFalse();
            assertThat(lost.reason())
                    .isEqualTo(
                            "no last cut, those of before stay: engines in phase %s did not come within PT1S: 0 of 1 instances have answered; missing: rollout-%s"
                                    .formatted(silent.name().toLowerCase(Locale.ROOT), run.id));
            assertThat(run.events(CheckpointSaved.class)).noneMatch(CheckpointSaved::last);
            assertThat(run.events(StepCompleted.class)).hasSize(version);
        }
    }

    @Test
    void aCancelledRunTakesTheGpusOnceMoreForItsCut(KafkaBroker kafka) throws IOException {
        try (SmallRun run = colocated(kafka, "turns-cancelled", Transport.DISK)) {
            run.rollout.pauseAt(2);
            RunTrainer trainer = run.start(1);
            run.await(PhaseChanged.class, changed -> told(changed).equals("GENERATE 2"));

            run.scenario.signals.stopping().complete("a test asks for it");
            CheckpointSaved last = run.awaitLastCut();
            trainer.end(SmallRun.DEADLINE);

            assertThat(last.step()).isEqualTo(2);
            assertThat(told(run.events(PhaseChanged.class).getLast())).isEqualTo("TRAIN");
        }
    }

    @Test
    void aWorkerThatCannotMoveItsMemoryIsRefusedWithWhatToDo(KafkaBroker kafka) throws IOException {
        try (SmallRun run = colocated(kafka, "turns-refused", Transport.DISK)) {
            run.scenario.configuration.put(
                    "sluice.trainer.worker.environment." + ChainWorkerMain.CAPABILITIES, "train");
            RunTrainer trainer = run.start(1);

            TrainerLost lost = run.await(TrainerLost.class, any -> true);
            trainer.end(SmallRun.DEADLINE);

            assertThat(lost.retry()).isFalse();
            assertThat(lost.reason())
                    .isEqualTo(
                            "the worker (chain 1) names no capability offload, which engines on the same GPUs need; start another one, or set cluster.placement to disaggregated");
        }
    }

    @Test
    void aRunWhoseEnginesKeepTheirMemoryIsGivenUpWithTheReason(KafkaBroker kafka) throws IOException {
        try (SmallRun run = colocated(kafka, "turns-kept", Transport.DISK)) {
            run.scenario.configuration.put("sluice.trainer.waits.hand-over", "3s");
            run.scenario.configuration.put("sluice.trainer.waits.shown-after", "1s");
            run.rollout.mute(Phase.TRAIN, 2);
            RunTrainer trainer = run.start(1);

            TrainerLost lost = run.await(TrainerLost.class, any -> true);
            trainer.end(SmallRun.DEADLINE);

            assertThat(lost.retry()).isTrue();
            assertThat(lost.reason())
                    .isEqualTo(
                            "engines in phase train did not come within PT3S: 0 of 1 instances have answered; missing: rollout-"
                                    + run.id);
            assertThat(run.events(WaitChanged.class))
                    .extracting(WaitChanged::waitingFor)
                    .contains("engines in phase train");
            assertThat(run.events(StepCompleted.class))
                    .extracting(StepCompleted::step)
                    .containsExactly(1, 2);
        }
    }

    private static void assertWholeRun(SmallRun run, CheckpointSaved last) throws IOException {
        run.assertWhole(last);
        assertThat(run.events(WeightsPublished.class))
                .extracting(WeightsPublished::version)
                .containsExactly(0, 1, 2, 3, 4, 5, 6, 7, 8);
    }

    private SmallRun colocated(KafkaBroker kafka, String name, Transport transport) throws IOException {
        return new SmallRun(kafka, name, dataRoot, Placement.COLOCATED, transport);
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
