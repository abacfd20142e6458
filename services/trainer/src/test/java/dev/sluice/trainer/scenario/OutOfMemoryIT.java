package dev.sluice.trainer.scenario;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.events.Topics;
import dev.sluice.events.TrainingEvent.BatchFormed;
import dev.sluice.events.TrainingEvent.CheckpointSaved;
import dev.sluice.events.TrainingEvent.GroupUse;
import dev.sluice.events.TrainingEvent.StepCompleted;
import dev.sluice.events.TrainingEvent.TrainerLost;
import dev.sluice.events.TrainingEvent.WorkerFellBack;
import dev.sluice.testkit.EventLog;
import dev.sluice.testkit.KafkaBroker;
import dev.sluice.trainer.loop.RunTrainer;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** A worker process that refuses micro-batches of more tokens than it has room for. */
@ExtendWith(KafkaBroker.class)
class OutOfMemoryIT {
    private static final Duration DEADLINE = Duration.ofSeconds(60);

    @TempDir
    Path dataRoot;

    @Test
    void theSameBatchIsTrainedInSmallerPortions(KafkaBroker kafka) throws IOException {
        String runId = kafka.newRunId("out-of-memory");
        try (Scenario scenario = new Scenario(kafka.connection("trainer-test"), runId, dataRoot, 0);
                EventLog log = kafka.follow(Topics.TRAINING);
                SmallRollout rollout = new SmallRollout(kafka.connection("rollout-test"), runId)) {
            scenario.workerMaxTokens = 16; // a sample has 5 to 7 tokens, a batch of four 20 to 28
            RunTrainer trainer = scenario.trainer(1);
            trainer.start();

            CheckpointSaved last = log.await(runId, CheckpointSaved.class, CheckpointSaved::last, DEADLINE);

            assertThat(last.step()).isEqualTo(Scenario.STEPS);
            assertThat(log.events(runId, WorkerFellBack.class))
                    .isNotEmpty()
                    .first()
                    .satisfies(fellBack -> {
                        assertThat(fellBack.rung()).isEqualTo(1);
                        assertThat(fellBack.difference()).isEqualTo("micro-batches of 32 tokens");
                        assertThat(fellBack.reason()).contains("16 fit");
                    });
            assertThat(log.events(runId, StepCompleted.class))
                    .extracting(StepCompleted::step)
                    .containsExactly(1, 2, 3, 4, 5, 6, 7, 8);
            assertThat(log.events(runId, BatchFormed.class))
                    .flatExtracting(BatchFormed::groups)
                    .extracting(GroupUse::cursor)
                    .doesNotHaveDuplicates();
            trainer.end(DEADLINE);
        }
    }

    @Test
    void aRunWhoseSmallestPortionsDoNotFitIsGivenUpWithWhatToDo(KafkaBroker kafka) throws IOException {
        String runId = kafka.newRunId("never-fits");
        try (Scenario scenario = new Scenario(kafka.connection("trainer-test"), runId, dataRoot, 0);
                EventLog log = kafka.follow(Topics.TRAINING);
                SmallRollout rollout = new SmallRollout(kafka.connection("rollout-test"), runId)) {
            scenario.workerMaxTokens = 1;
            RunTrainer trainer = scenario.trainer(1);
            trainer.start();

            TrainerLost lost = log.await(runId, TrainerLost.class, any -> true, DEADLINE);

            assertThat(log.events(runId, WorkerFellBack.class))
                    .extracting(WorkerFellBack::rung)
                    .containsExactly(1, 2, 3);
            assertThat(lost.retry()).isFalse();
            assertThat(lost.reason()).contains("out of memory", "rollout.maxResponseTokens");
            trainer.end(DEADLINE);
        }
    }
}
