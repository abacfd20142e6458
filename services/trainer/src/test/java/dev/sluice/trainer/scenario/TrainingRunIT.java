package dev.sluice.trainer.scenario;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.events.GroupTask.GroupRequested;
import dev.sluice.events.MetricPoint;
import dev.sluice.events.Topics;
import dev.sluice.events.TrainingEvent.BatchFormed;
import dev.sluice.events.TrainingEvent.CheckpointRetired;
import dev.sluice.events.TrainingEvent.CheckpointSaved;
import dev.sluice.events.TrainingEvent.EvalCompleted;
import dev.sluice.events.TrainingEvent.GroupUse;
import dev.sluice.events.TrainingEvent.StepCompleted;
import dev.sluice.events.TrainingEvent.TrainerLost;
import dev.sluice.events.TrainingEvent.TrainerReady;
import dev.sluice.events.WeightEvent.WeightsPublished;
import dev.sluice.testkit.EventLog;
import dev.sluice.testkit.KafkaBroker;
import dev.sluice.trainer.loop.RunTrainer;
import dev.sluice.trainer.scenario.WeightChain.Advantage;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

@ExtendWith(KafkaBroker.class)
class TrainingRunIT {
    private static final Duration DEADLINE = Duration.ofSeconds(60);

    @TempDir
    Path dataRoot;

    @ParameterizedTest
    @ValueSource(ints = {0, 1})
    void trainsARunToItsEnd(int maxPolicyLag, KafkaBroker kafka) throws IOException {
        String runId = kafka.newRunId("whole-run");
        try (Scenario scenario = new Scenario(kafka.connection("trainer-test"), runId, dataRoot, maxPolicyLag);
                EventLog log = kafka.follow(Topics.TRAINING, Topics.WEIGHTS, Topics.METRICS, Topics.GROUP_EVENTS);
                SmallRollout rollout = new SmallRollout(kafka.connection("rollout-test"), runId)) {
            RunTrainer trainer = scenario.trainer(1);
            trainer.start();

            CheckpointSaved last = log.await(runId, CheckpointSaved.class, CheckpointSaved::last, DEADLINE);

            assertThat(last.step()).isEqualTo(Scenario.STEPS);
            assertThat(log.events(runId, TrainerReady.class))
                    .extracting(TrainerReady::how)
                    .containsExactly("started");
            assertThat(log.events(runId, StepCompleted.class))
                    .extracting(StepCompleted::step)
                    .containsExactly(1, 2, 3, 4, 5, 6, 7, 8);
            assertThat(log.events(runId, WeightsPublished.class))
                    .extracting(WeightsPublished::version)
                    .containsExactly(0, 1, 2, 3, 4, 5, 6, 7, 8);
            assertThat(log.events(runId, EvalCompleted.class))
                    .extracting(EvalCompleted::step, EvalCompleted::prompts, EvalCompleted::weightVersion)
                    .containsExactly(
                            org.assertj.core.groups.Tuple.tuple(0, 10, 0),
                            org.assertj.core.groups.Tuple.tuple(8, 10, 8));
            assertThat(log.events(runId, CheckpointSaved.class))
                    .extracting(CheckpointSaved::step)
                    .containsExactly(3, 6, 8);
            assertThat(log.await(runId, CheckpointRetired.class).step()).isEqualTo(3);
            assertThat(log.events(runId, BatchFormed.class))
                    .flatExtracting(BatchFormed::groups)
                    .extracting(GroupUse::policyLag)
                    .allMatch(lag -> (int) lag <= maxPolicyLag);
            assertThat(log.events(runId, MetricPoint.class))
                    .extracting(MetricPoint::name)
                    .contains("rollout/raw_reward", "train/loss", "perf/step_time", "eval/held-out");
            assertThat(WeightChain.in(last)).isEqualTo(WeightChain.byTheLog(log, runId, Advantage.GRPO));
            assertThat(attemptsBeyondTheFirst(rollout)).isEmpty();
            trainer.end(DEADLINE);
        }
    }

    /** PPO's advantages are known only when the critic was asked: after the batch was logged. */
    @ParameterizedTest
    @CsvSource({"grpo, true", "grpo, false", "ppo, true", "ppo, false"})
    void aSuccessorGoesOnWhereAKilledTrainerWas(String algorithm, boolean workerSurvives, KafkaBroker kafka)
            throws IOException {
        String runId = kafka.newRunId("killed");
        Map<String, Object> values = Map.of("rollout.maxPolicyLag", 1, "algorithm.name", algorithm);
        try (Scenario scenario = new Scenario(kafka.connection("trainer-test"), runId, dataRoot, values);
                EventLog log = kafka.follow(Topics.TRAINING, Topics.WEIGHTS, Topics.GROUP_EVENTS);
                SmallRollout rollout = new SmallRollout(kafka.connection("rollout-test"), runId)) {
            rollout.pauseAt(4);
            RunTrainer first = scenario.trainer(1);
            first.start();
            log.await(runId, StepCompleted.class, completed -> completed.step() == 4, DEADLINE);

            first.supersede(); // leaves everything as kill -9 would
            if (!workerSurvives) {
                scenario.stopWorker();
            }
            RunTrainer second = scenario.trainer(2);
            second.start();
            rollout.goOn();
            CheckpointSaved last = log.await(runId, CheckpointSaved.class, CheckpointSaved::last, DEADLINE);

            assertThat(log.events(runId, TrainerReady.class).getLast().how())
                    .isEqualTo(workerSurvives ? "attached to a living worker" : "resumed from a cut");
            assertThat(log.events(runId, StepCompleted.class))
                    .extracting(StepCompleted::step)
                    .containsExactly(1, 2, 3, 4, 5, 6, 7, 8);
            assertThat(log.events(runId, WeightsPublished.class))
                    .extracting(WeightsPublished::version)
                    .containsExactly(0, 1, 2, 3, 4, 5, 6, 7, 8);
            assertThat(log.events(runId, BatchFormed.class))
                    .flatExtracting(BatchFormed::groups)
                    .extracting(GroupUse::cursor)
                    .doesNotHaveDuplicates();
            assertThat(WeightChain.in(last))
                    .isEqualTo(
                            WeightChain.byTheLog(log, runId, algorithm.equals("ppo") ? Advantage.PPO : Advantage.GRPO));
            assertThat(log.events(runId, StepCompleted.class)
                            .getFirst()
                            .metrics()
                            .get("rollout/values"))
                    .isEqualTo(algorithm.equals("ppo") ? 0.25 : null);
            second.end(DEADLINE);
        }
    }

    @Test
    void aWorkerThatDiesIsLoadedAnewFromTheCutAndTheLog(KafkaBroker kafka) throws IOException {
        String runId = kafka.newRunId("worker-dies");
        try (Scenario scenario = new Scenario(kafka.connection("trainer-test"), runId, dataRoot, 1);
                EventLog log = kafka.follow(Topics.TRAINING, Topics.WEIGHTS, Topics.GROUP_EVENTS);
                SmallRollout rollout = new SmallRollout(kafka.connection("rollout-test"), runId)) {
            rollout.pauseAt(4);
            RunTrainer trainer = scenario.trainer(1);
            trainer.start();
            log.await(runId, StepCompleted.class, completed -> completed.step() == 4, DEADLINE);

            scenario.stopWorker();
            rollout.goOn();
            CheckpointSaved last = log.await(runId, CheckpointSaved.class, CheckpointSaved::last, DEADLINE);

            assertThat(log.events(runId, TrainerReady.class))
                    .extracting(TrainerReady::how)
                    .containsExactly("started", "resumed from a cut");
            assertThat(log.events(runId, StepCompleted.class))
                    .extracting(StepCompleted::step)
                    .containsExactly(1, 2, 3, 4, 5, 6, 7, 8);
            assertThat(WeightChain.in(last)).isEqualTo(WeightChain.byTheLog(log, runId, Advantage.GRPO));
            trainer.end(DEADLINE);
        }
    }

    /** The planner's word may come late: the log alone keeps a replaced trainer from writing. */
    @Test
    void aTrainerThatWasReplacedWritesNothingAndTouchesNothing(KafkaBroker kafka) throws IOException {
        String runId = kafka.newRunId("fenced");
        try (Scenario scenario = new Scenario(kafka.connection("trainer-test"), runId, dataRoot, 1);
                EventLog log = kafka.follow(Topics.TRAINING, Topics.WEIGHTS, Topics.GROUP_EVENTS);
                SmallRollout rollout = new SmallRollout(kafka.connection("rollout-test"), runId)) {
            rollout.pauseAt(2);
            RunTrainer first = scenario.trainer(1);
            first.start();
            log.await(runId, StepCompleted.class, completed -> completed.step() == 2, DEADLINE);

            RunTrainer second = scenario.trainer(2);
            second.start();
            log.await(runId, TrainerReady.class, ready -> ready.epoch() == 2, DEADLINE);
            rollout.goOn();
            CheckpointSaved last = log.await(runId, CheckpointSaved.class, CheckpointSaved::last, DEADLINE);
            first.join(DEADLINE);

            assertThat(log.events(runId, TrainerReady.class))
                    .extracting(TrainerReady::epoch)
                    .containsExactly(1, 2);
            assertThat(log.events(runId, StepCompleted.class))
                    .extracting(StepCompleted::step)
                    .containsExactly(1, 2, 3, 4, 5, 6, 7, 8);
            assertThat(log.events(runId, TrainerLost.class)).isEmpty();
            assertThat(WeightChain.in(last)).isEqualTo(WeightChain.byTheLog(log, runId, Advantage.GRPO));
            second.end(DEADLINE);
        }
    }

    @Test
    void aCancelledRunIsSavedAsFarAsItCame(KafkaBroker kafka) throws IOException {
        String runId = kafka.newRunId("cancelled");
        try (Scenario scenario = new Scenario(kafka.connection("trainer-test"), runId, dataRoot, 0);
                EventLog log = kafka.follow(Topics.TRAINING);
                SmallRollout rollout = new SmallRollout(kafka.connection("rollout-test"), runId)) {
            rollout.pauseAt(2);
            RunTrainer trainer = scenario.trainer(1);
            trainer.start();
            log.await(runId, StepCompleted.class, completed -> completed.step() == 2, DEADLINE);

            scenario.signals.stopping().complete("a test asks for it");
            CheckpointSaved last = log.await(runId, CheckpointSaved.class, CheckpointSaved::last, DEADLINE);

            assertThat(last.step()).isBetween(2, Scenario.STEPS);
            assertThat(last.closedBelow()).isEqualTo(last.cursorNext());
            assertThat(rollout.requested()).isNotEmpty();
            trainer.end(DEADLINE);
        }
    }

    private static List<GroupRequested> attemptsBeyondTheFirst(SmallRollout rollout) {
        List<GroupRequested> requested = rollout.requested();
        return IntStream.range(0, requested.size())
                .filter(i -> requested.subList(0, i).stream()
                        .anyMatch(earlier ->
                                earlier.groupId().equals(requested.get(i).groupId())))
                .mapToObj(requested::get)
                .toList();
    }
}
