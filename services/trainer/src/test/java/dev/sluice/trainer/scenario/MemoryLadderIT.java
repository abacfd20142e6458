package dev.sluice.trainer.scenario;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.checkpoint.Conversion;
import dev.sluice.checkpoint.Progress;
import dev.sluice.domain.replay.ReplayLine;
import dev.sluice.domain.replay.ReplayLine.Comparison;
import dev.sluice.domain.replay.ReplayLine.Trained;
import dev.sluice.domain.replay.ReplayOrder;
import dev.sluice.events.CheckpointEvent.CheckpointConverted;
import dev.sluice.events.RunEvent.RunPlanned;
import dev.sluice.events.Topics;
import dev.sluice.events.TrainingEvent.CheckpointSaved;
import dev.sluice.events.TrainingEvent.StepCompleted;
import dev.sluice.events.TrainingEvent.TrainerLost;
import dev.sluice.events.TrainingEvent.WorkerFellBack;
import dev.sluice.events.WeightEvent.WeightsPublished;
import dev.sluice.testkit.EventLog;
import dev.sluice.testkit.KafkaBroker;
import dev.sluice.trainer.loop.Replay;
import dev.sluice.trainer.loop.RunTrainer;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/**
 * The packaged CPU worker with a limit of memory, and responses of which a pass takes two at once, or one on the next rung. How much
 * that is differs by machine, so it is measured first.
 */
@ExtendWith(KafkaBroker.class)
class MemoryLadderIT {
    private static final Path ROOT = Path.of(System.getProperty("sluice.root"));
    private static final Path MODEL = ROOT.resolve("deploy/examples/tiny/model");
    private static final Path BACKEND = ROOT.resolve("services/cpu-backend/target");
    private static final Pattern RESIDENT = Pattern.compile("takes this process to (\\d+) MiB");
    private static final Duration DEADLINE = Duration.ofMinutes(4);
    private static final int LONG = 900;
    /** Four of them are one micro-batch of the plan and two of the next rung. */
    private static final int SHORT = 300;

    @TempDir
    Path dataRoot;

    @Test
    void aRunThatFellBackIsTrainedAgainToTheSameBitsStepByStep(KafkaBroker kafka) throws Exception {
        WideVocabulary.write(MODEL, dataRoot);
        Conversion.toTorchDist(dataRoot, dataRoot.resolve("converted"), Progress.NONE);
        List<Integer> resident = residentByRung(kafka);
        System.out.printf("MiB by rung: %s%n", resident);
        int whole = resident.getFirst();
        int limit = whole - (whole - resident.get(1)) / 4;
        String runId = kafka.newRunId("fell-back");

        try (Scenario scenario = scenario(kafka, runId, limit);
                EventLog log = kafka.follow(Topics.TRAINING, Topics.WEIGHTS);
                SmallRollout rollout = new SmallRollout(kafka.connection("rollout-test"), runId)) {
            rollout.lengthen(cursor -> cursor < 8 ? SHORT : LONG);
            RunTrainer trainer = scenario.trainer(1);
            trainer.start();
            log.await(runId, CheckpointSaved.class, CheckpointSaved::last, DEADLINE);
            trainer.end(DEADLINE);

            assertThat(log.events(runId, WorkerFellBack.class))
                    .singleElement()
                    .returns(1, WorkerFellBack::rung)
                    .returns(5, WorkerFellBack::step);
            assertThat(log.events(runId, StepCompleted.class))
                    .extracting(StepCompleted::memoryRung)
                    .containsExactly(0, 0, 0, 0, 1, 1, 1, 1);
            // Step 4 came to the same weights on its own rung, so none was published again.
            assertThat(log.events(runId, WeightsPublished.class))
                    .extracting(WeightsPublished::version)
                    .containsExactly(0, 1, 2, 3, 4, 5, 6, 7, 8);
            assertThat(trainedAgain(kafka, scenario)).hasSize(8).containsOnly(Comparison.SAME);
        }
    }

    /** With a limit that nothing fits, every rung says how much it takes. */
    private List<Integer> residentByRung(KafkaBroker kafka) throws IOException {
        String runId = kafka.newRunId("measured");
        try (Scenario scenario = scenario(kafka, runId, 1);
                EventLog log = kafka.follow(Topics.TRAINING);
                SmallRollout rollout = new SmallRollout(kafka.connection("rollout-test"), runId)) {
            rollout.lengthen(cursor -> LONG);
            RunTrainer trainer = scenario.trainer(1);
            trainer.start();
            log.await(runId, TrainerLost.class, any -> true, DEADLINE);
            trainer.end(DEADLINE);
            return log.events(runId, WorkerFellBack.class).stream()
                    .map(fellBack -> resident(fellBack.reason()))
                    .toList();
        }
    }

    private static int resident(String reason) {
        Matcher told = RESIDENT.matcher(reason);
        assertThat(told.find()).as(reason).isTrue();
        return Integer.parseInt(told.group(1));
    }

    private Scenario scenario(KafkaBroker kafka, String runId, int limit) throws IOException {
        Scenario scenario = new Scenario(kafka.connection("trainer-test"), runId, dataRoot, 0);
        scenario.workerCommand = worker(limit);
        scenario.set("rollout.maxResponseTokens", LONG);
        scenario.set("training.layout", Map.of("tokensPerGpu", 2048));
        kafka.publish(new RunPlanned(runId, "sha", scenario.request(Map.of()), Scenario.plan()));
        kafka.publish(
                new CheckpointConverted(runId, "/source", scenario.converted().toString(), 1, 1, 1, false));
        return scenario;
    }

    private static List<String> worker(int limit) {
        return List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx512m",
                "-XX:+UseSerialGC",
                "--enable-native-access=ALL-UNNAMED",
                "-cp",
                BACKEND.resolve("sluice-cpu-backend-0.1.0-SNAPSHOT.jar") + File.pathSeparator + BACKEND.resolve("lib")
                        + "/*",
                "dev.sluice.cpu.worker.WorkerMain",
                "--memory-limit",
                Integer.toString(limit));
    }

    private List<Comparison> trainedAgain(KafkaBroker kafka, Scenario scenario) throws Exception {
        List<ReplayLine> report = new ArrayList<>();
        Path directory = Files.createTempDirectory(dataRoot, "replay");
        ReplayOrder order = new ReplayOrder(scenario.runId, 0, null, null, false);
        new Replay(order, kafka.connection("replay-test"), scenario.config(), directory, report::add).run();
        return report.stream()
                .map(ReplayLine::trained)
                .filter(Objects::nonNull)
                .map(Trained::comparison)
                .toList();
    }
}
