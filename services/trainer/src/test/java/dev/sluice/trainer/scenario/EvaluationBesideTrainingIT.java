package dev.sluice.trainer.scenario;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.events.GroupEvent.GroupSampled;
import dev.sluice.events.Topics;
import dev.sluice.events.TrainingEvent.BatchFormed;
import dev.sluice.events.TrainingEvent.CheckpointSaved;
import dev.sluice.events.TrainingEvent.EvalCompleted;
import dev.sluice.events.TrainingEvent.GroupUse;
import dev.sluice.events.TrainingEvent.StepCompleted;
import dev.sluice.events.TrainingEvent.WaitChanged;
import dev.sluice.testkit.EventLog;
import dev.sluice.testkit.KafkaBroker;
import dev.sluice.trainer.loop.RunTrainer;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@ExtendWith(KafkaBroker.class)
class EvaluationBesideTrainingIT {
    private static final Duration DEADLINE = Duration.ofSeconds(25);

    @TempDir
    Path dataRoot;

    @ParameterizedTest
    @ValueSource(ints = {0, 1})
    void stepsGoOnWhileOneInstanceKeepsTheVersionThatIsMeasured(int maxPolicyLag, KafkaBroker kafka)
            throws IOException {
        String runId = kafka.newRunId("beside");
        try (Scenario scenario = new Scenario(kafka.connection("trainer-test"), runId, dataRoot, maxPolicyLag);
                EventLog log = kafka.follow(Topics.TRAINING, Topics.WEIGHTS, Topics.GROUP_EVENTS);
                SmallRollout first = new SmallRollout(kafka.connection("rollout-test"), runId, "a-" + runId);
                SmallRollout second = new SmallRollout(kafka.connection("rollout-test"), runId, "b-" + runId)) {
            first.holdEvaluation();
            second.holdEvaluation();
            RunTrainer trainer = scenario.trainer(1);
            trainer.start();

            log.await(runId, StepCompleted.class, completed -> completed.step() == 3, DEADLINE);
            assertThat(log.events(runId, EvalCompleted.class)).isEmpty();
            first.measure();
            second.measure();
            log.await(runId, CheckpointSaved.class, CheckpointSaved::last, DEADLINE);

            assertThat(log.events(runId, EvalCompleted.class))
                    .extracting(EvalCompleted::step, EvalCompleted::weightVersion, EvalCompleted::prompts)
                    .containsExactly(
                            org.assertj.core.groups.Tuple.tuple(0, 0, 10),
                            org.assertj.core.groups.Tuple.tuple(8, 8, 10));
            assertThat(measuredBy(log, runId, 0)).containsOnly(0);
            assertThat(log.events(runId, BatchFormed.class))
                    .flatExtracting(BatchFormed::groups)
                    .extracting(GroupUse::groupId)
                    .noneMatch(groupId -> groupId.contains("/eval/"));
            trainer.end(DEADLINE);
        }
    }

    @Test
    void oneEngineAloneMeasuresFirstAndTheWaitSaysSo(KafkaBroker kafka) throws IOException {
        String runId = kafka.newRunId("alone");
        try (Scenario scenario = new Scenario(kafka.connection("trainer-test"), runId, dataRoot, 1);
                EventLog log = kafka.follow(Topics.TRAINING, Topics.WEIGHTS, Topics.GROUP_EVENTS);
                SmallRollout rollout = new SmallRollout(kafka.connection("rollout-test"), runId)) {
            rollout.holdEvaluation();
            RunTrainer trainer = scenario.trainer(1);
            trainer.start();

            WaitChanged wait = log.await(
                    runId, WaitChanged.class, change -> change.reason().contains("evaluation of held-out"), DEADLINE);
            assertThat(wait.reason())
                    .contains("evaluation of held-out at step 0 goes first: 0 of 10 prompts of held-out measured");
            assertThat(wait.deadline()).isNotNull();
            assertThat(log.events(runId, StepCompleted.class)).isEmpty();
            rollout.measure();
            log.await(runId, CheckpointSaved.class, CheckpointSaved::last, DEADLINE);

            assertThat(log.events(runId, EvalCompleted.class))
                    .extracting(EvalCompleted::weightVersion)
                    .containsExactly(0, 8);
            trainer.end(DEADLINE);
        }
    }

    @Test
    void anEvaluationThatIsOverdueEndsWithWhatWasMeasuredAndTheRunGoesOn(KafkaBroker kafka) throws IOException {
        String runId = kafka.newRunId("overdue");
        try (Scenario scenario = new Scenario(kafka.connection("trainer-test"), runId, dataRoot, 1);
                EventLog log = kafka.follow(Topics.TRAINING, Topics.WEIGHTS, Topics.GROUP_EVENTS);
                SmallRollout rollout = new SmallRollout(kafka.connection("rollout-test"), runId)) {
            scenario.evaluationBound = Duration.ofSeconds(2);
            rollout.holdEvaluation();
            RunTrainer trainer = scenario.trainer(1);
            trainer.start();

            EvalCompleted first = log.await(runId, EvalCompleted.class, any -> true, DEADLINE);
            rollout.measure();
            log.await(runId, CheckpointSaved.class, CheckpointSaved::last, DEADLINE);

            assertThat(first.step()).isZero();
            assertThat(first.prompts()).isZero();
            assertThat(log.events(runId, StepCompleted.class)).hasSize(Scenario.STEPS);
            trainer.end(DEADLINE);
        }
    }

    @Test
    void aSuccessorTellsWhatAKilledTrainerHasMeasured(KafkaBroker kafka) throws IOException {
        String runId = kafka.newRunId("succeeded");
        try (Scenario scenario = new Scenario(kafka.connection("trainer-test"), runId, dataRoot, 1);
                EventLog log = kafka.follow(Topics.TRAINING, Topics.WEIGHTS, Topics.GROUP_EVENTS);
                SmallRollout first = new SmallRollout(kafka.connection("rollout-test"), runId, "a-" + runId);
                SmallRollout second = new SmallRollout(kafka.connection("rollout-test"), runId, "b-" + runId)) {
            first.holdEvaluation();
            second.holdEvaluation();
            RunTrainer killed = scenario.trainer(1);
            killed.start();
            log.await(runId, StepCompleted.class, completed -> completed.step() == 2, DEADLINE);

            killed.supersede(); // leaves everything as kill -9 would
            RunTrainer successor = scenario.trainer(2);
            successor.start();
            first.measure();
            second.measure();
            log.await(runId, CheckpointSaved.class, CheckpointSaved::last, DEADLINE);

            assertThat(log.events(runId, EvalCompleted.class))
                    .extracting(EvalCompleted::epoch, EvalCompleted::step, EvalCompleted::prompts)
                    .containsExactly(
                            org.assertj.core.groups.Tuple.tuple(2, 0, 10),
                            org.assertj.core.groups.Tuple.tuple(2, 8, 10));
            successor.end(DEADLINE);
        }
    }

    private static List<Integer> measuredBy(EventLog log, String runId, int step) {
        return log.events(runId, GroupSampled.class).stream()
                .filter(group -> group.groupId().startsWith(runId + "/eval/held-out/" + step + "/"))
                .flatMap(group -> group.samples().stream())
                .flatMap(sample -> sample.versions().stream())
                .map(span -> span.version())
                .toList();
    }
}
