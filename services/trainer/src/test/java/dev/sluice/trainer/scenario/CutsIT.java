package dev.sluice.trainer.scenario;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.sluice.events.Topics;
import dev.sluice.events.TrainingEvent.BatchFormed;
import dev.sluice.events.TrainingEvent.CheckpointSaved;
import dev.sluice.events.TrainingEvent.StepCompleted;
import dev.sluice.events.TrainingEvent.TrainerReady;
import dev.sluice.events.TrainingEvent.WaitChanged;
import dev.sluice.testkit.EventLog;
import dev.sluice.testkit.KafkaBroker;
import dev.sluice.trainer.loop.RunTrainer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** A run of 8 steps with a cut every third, on a worker whose weights are a hash chain. */
@ExtendWith(KafkaBroker.class)
class CutsIT {
    private static final Duration DEADLINE = Duration.ofSeconds(25);

    @TempDir
    Path dataRoot;

    @Test
    void aCutIsWrittenWhileTheNextStepsTrainAndHoldsTheWeightsOfItsOwnStep(KafkaBroker kafka) throws IOException {
        String runId = kafka.newRunId("beside");
        try (Scenario scenario = new Scenario(kafka.connection("trainer-test"), runId, dataRoot, 1);
                EventLog log = kafka.follow(Topics.TRAINING);
                SmallRollout rollout = new SmallRollout(kafka.connection("rollout-test"), runId)) {
            scenario.set("checkpoints.asynchronous", true);
            RunTrainer trainer = scenario.trainer(1);
            trainer.start();

            log.await(runId, CheckpointSaved.class, CheckpointSaved::last, DEADLINE);

            List<CheckpointSaved> cuts = log.events(runId, CheckpointSaved.class);
            assertThat(cuts).extracting(CheckpointSaved::step).containsExactly(3, 6, 8);
            assertThat(eventsBetween(log, runId, 3)).contains("step 4");
            // Cut 3 is retired by then.
            assertThat(weightsIn(cuts.get(1))).isEqualTo(weightsAfter(log, runId, 6));
            assertThat(weightsIn(cuts.get(2))).isEqualTo(weightsAfter(log, runId, 8));
            trainer.end(DEADLINE);
        }
    }

    @Test
    void aTrainerThatDiesWhileACutIsWrittenLeavesItsSuccessorTheOlderOne(KafkaBroker kafka) throws IOException {
        String runId = kafka.newRunId("dies-beside");
        try (Scenario scenario = new Scenario(kafka.connection("trainer-test"), runId, dataRoot, 1);
                EventLog log = kafka.follow(Topics.TRAINING);
                SmallRollout rollout = new SmallRollout(kafka.connection("rollout-test"), runId)) {
            scenario.set("checkpoints.asynchronous", true);
            rollout.pauseAt(6);
            RunTrainer first = scenario.trainer(1);
            first.start();
            log.await(runId, StepCompleted.class, completed -> completed.step() == 6, DEADLINE);

            first.supersede();
            scenario.stopWorker();
            RunTrainer second = scenario.trainer(2);
            second.start();
            rollout.goOn();
            CheckpointSaved last = log.await(runId, CheckpointSaved.class, CheckpointSaved::last, DEADLINE);

            assertThat(log.events(runId, TrainerReady.class).getLast().step()).isEqualTo(6);
            assertThat(log.events(runId, CheckpointSaved.class).stream().filter(cut -> cut.epoch() == 1))
                    .extracting(CheckpointSaved::step)
                    .containsExactly(3);
            assertThat(weightsIn(last)).isEqualTo(weightsAfter(log, runId, 8));
            second.end(DEADLINE);
        }
    }

    @Test
    void aRunGoesOnWithoutACutThatFindsNoRoomAndKeepsTheOlderOnes(KafkaBroker kafka) throws IOException {
        String runId = kafka.newRunId("full-goes-on");
        try (Scenario scenario = new Scenario(kafka.connection("trainer-test"), runId, dataRoot, 1);
                EventLog log = kafka.follow(Topics.TRAINING);
                SmallRollout rollout = new SmallRollout(kafka.connection("rollout-test"), runId)) {
            rollout.pauseAt(4);
            RunTrainer trainer = scenario.trainer(1);
            trainer.start();
            log.await(runId, StepCompleted.class, completed -> completed.step() == 4, DEADLINE);

            Path full = Files.createFile(dataRoot.resolve(ChainWorkerMain.FULL));
            rollout.goOn();
            WaitChanged told = log.await(
                    runId, WaitChanged.class, wait -> wait.waitingFor().startsWith("disk space for a cut"), DEADLINE);
            log.await(runId, StepCompleted.class, completed -> completed.step() == 8, DEADLINE);
            CheckpointSaved older = log.events(runId, CheckpointSaved.class).getLast();
            String olderWeights = weightsIn(older);
            Files.delete(full);
            CheckpointSaved last = log.await(runId, CheckpointSaved.class, CheckpointSaved::last, DEADLINE);

            assertThat(told.reason()).contains("needs 1 byte and 0 are left");
            assertThat(older.step()).isEqualTo(3);
            assertThat(olderWeights).isEqualTo(weightsAfter(log, runId, 3));
            assertThat(weightsIn(last)).isEqualTo(weightsAfter(log, runId, 8));
            assertThat(log.events(runId, TrainerReady.class)).hasSize(1);
            trainer.end(DEADLINE);
        }
    }

    @Test
    void aRunThatIsToWaitForRoomTrainsNoFurtherUntilThereIsSome(KafkaBroker kafka) throws IOException {
        String runId = kafka.newRunId("full-waits");
        try (Scenario scenario = new Scenario(kafka.connection("trainer-test"), runId, dataRoot, 1);
                EventLog log = kafka.follow(Topics.TRAINING);
                SmallRollout rollout = new SmallRollout(kafka.connection("rollout-test"), runId)) {
            scenario.set("checkpoints.whenDiskIsFull", "wait");
            Path full = Files.createFile(dataRoot.resolve(ChainWorkerMain.FULL));
            RunTrainer trainer = scenario.trainer(1);
            trainer.start();

            WaitChanged wait = log.await(
                    runId, WaitChanged.class, shown -> shown.waitingFor().equals("disk space for a cut"), DEADLINE);
            List<Integer> steps = steps(log, runId);
            Files.delete(full);
            log.await(runId, CheckpointSaved.class, CheckpointSaved::last, DEADLINE);

            assertThat(wait.reason()).contains("needs 1 byte and 0 are left");
            assertThat(wait.deadline()).isNotNull();
            assertThat(steps).containsExactly(1, 2, 3);
            assertThat(log.events(runId, CheckpointSaved.class))
                    .extracting(CheckpointSaved::step)
                    .containsExactly(3, 6, 8);
            trainer.end(DEADLINE);
        }
    }

    private static List<Integer> steps(EventLog log, String runId) {
        return log.events(runId, StepCompleted.class).stream()
                .map(StepCompleted::step)
                .toList();
    }

    /** What was formed between the completion of a step and the commit of its cut. */
    private static List<String> eventsBetween(EventLog log, String runId, int step) {
        return log.recordsOf(runId).stream()
                .map(record -> record.event())
                .dropWhile(event -> !(event instanceof StepCompleted completed && completed.step() == step))
                .takeWhile(event -> !(event instanceof CheckpointSaved saved && saved.step() == step))
                .flatMap(event ->
                        event instanceof BatchFormed formed && !formed.groups().isEmpty()
                                ? Stream.of("step " + formed.step())
                                : Stream.empty())
                .toList();
    }

    private static String weightsAfter(EventLog log, String runId, int step) {
        return log.events(runId, StepCompleted.class).stream()
                .filter(completed -> completed.step() == step)
                .map(StepCompleted::weightsSha256)
                .findFirst()
                .orElseThrow();
    }

    private static String weightsIn(CheckpointSaved cut) throws IOException {
        Path weights = Path.of(cut.directory(), "weights.txt");
        await().atMost(DEADLINE).until(() -> Files.exists(weights));
        return Files.readAllLines(weights).get(1);
    }
}
