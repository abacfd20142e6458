package dev.sluice.trainer.scenario;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.domain.audit.RunAudit;
import dev.sluice.events.RunMetric;
import dev.sluice.events.Topics;
import dev.sluice.events.TrainingEvent.BatchFormed;
import dev.sluice.events.TrainingEvent.CheckpointSaved;
import dev.sluice.events.TrainingEvent.GroupUse;
import dev.sluice.events.TrainingEvent.GuardReleased;
import dev.sluice.events.TrainingEvent.GuardTripped;
import dev.sluice.events.TrainingEvent.RolledBack;
import dev.sluice.events.TrainingEvent.StepCompleted;
import dev.sluice.events.TrainingEvent.TrainerLost;
import dev.sluice.events.TrainingEvent.WaitChanged;
import dev.sluice.events.TrainingRequest.Guard;
import dev.sluice.events.TrainingRequest.GuardAction;
import dev.sluice.events.WeightEvent.WeightsPublished;
import dev.sluice.kafka.EventRecord;
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

/** At lag 0 step 5 trains on the groups 8 and 9, and only these are solved by all of their samples. */
@ExtendWith(KafkaBroker.class)
class GuardedRunIT {
    private static final Duration DEADLINE = Duration.ofSeconds(40);

    @TempDir
    Path dataRoot;

    @Test
    void aRollbackGoesOnFromTheLastCutWithOtherGroups(KafkaBroker kafka) throws IOException {
        String runId = kafka.newRunId("rolled-back");
        try (Scenario scenario = scenario(kafka, runId, GuardAction.ROLLBACK);
                EventLog log = kafka.follow(Topics.TRAINING, Topics.WEIGHTS, Topics.GROUP_EVENTS, Topics.ENGINES);
                SmallRollout rollout = rollout(kafka, runId)) {
            RunTrainer trainer = scenario.trainer(1);
            trainer.start();

            CheckpointSaved last = log.await(runId, CheckpointSaved.class, CheckpointSaved::last, DEADLINE);

            assertThat(last.step()).isEqualTo(Scenario.STEPS);
            RolledBack taken = log.events(runId, RolledBack.class).getFirst();
            assertThat(taken.fromStep()).isEqualTo(5);
            assertThat(taken.toStep()).isEqualTo(3);
            assertThat(log.events(runId, StepCompleted.class))
                    .extracting(StepCompleted::step)
                    .containsExactly(1, 2, 3, 4, 5, 4, 5, 6, 7, 8);
            assertThat(log.events(runId, BatchFormed.class))
                    .flatExtracting(BatchFormed::groups)
                    .extracting(GroupUse::cursor)
                    .doesNotHaveDuplicates();
            assertThat(log.events(runId, WeightsPublished.class))
                    .extracting(WeightsPublished::version)
                    .containsExactly(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11);
            assertThat(log.events(runId, WeightsPublished.class).get(6)).satisfies(again -> {
                assertThat(again.step()).isEqualTo(3);
                assertThat(again.supersedes()).isEqualTo(5);
            });
            RunAudit audit = new RunAudit(runId);
            log.recordsOf(runId).forEach(record -> audit.apply(record.event(), record.id()));
            assertThat(audit.findings(0)).isEmpty();
            trainer.end(DEADLINE);
        }
    }

    @Test
    void aPauseWaitsForSomebodysWordAlsoUnderASuccessor(KafkaBroker kafka) throws IOException {
        String runId = kafka.newRunId("paused");
        try (Scenario scenario = scenario(kafka, runId, GuardAction.PAUSE);
                EventLog log = kafka.follow(Topics.TRAINING);
                SmallRollout rollout = rollout(kafka, runId)) {
            RunTrainer first = scenario.trainer(1);
            first.start();
            WaitChanged wait = log.await(
                    runId, WaitChanged.class, waiting -> waiting.waitingFor().contains("guard"), DEADLINE);
            first.supersede();
            RunTrainer second = scenario.trainer(2);
            second.start();
            log.await(
                    runId,
                    WaitChanged.class,
                    waiting -> waiting.epoch() == 2 && waiting.waitingFor().contains("guard"),
                    DEADLINE);

            EventRecord<?> trip = log.recordsOf(runId).stream()
                    .filter(record -> record.event() instanceof GuardTripped)
                    .findFirst()
                    .orElseThrow();
            assertThat(log.events(runId, GuardTripped.class)).hasSize(1);
            assertThat(log.events(runId, StepCompleted.class)).hasSize(5);
            scenario.signals.continued(trip.id().toString()).complete("a test says so");
            CheckpointSaved last = log.await(runId, CheckpointSaved.class, CheckpointSaved::last, DEADLINE);

            assertThat(wait.deadline()).isNotNull();
            assertThat(wait.reason()).contains("equal_reward_groups is 1 at step 5", "sluice continue " + runId);
            assertThat(log.await(runId, GuardReleased.class).reason()).isEqualTo("a test says so");
            assertThat(last.step()).isEqualTo(Scenario.STEPS);
            second.end(DEADLINE);
        }
    }

    @Test
    void aRunThatIsToFailIsGivenUpForGood(KafkaBroker kafka) throws IOException {
        String runId = kafka.newRunId("failed-by-guard");
        try (Scenario scenario = scenario(kafka, runId, GuardAction.FAIL);
                EventLog log = kafka.follow(Topics.TRAINING);
                SmallRollout rollout = rollout(kafka, runId)) {
            RunTrainer trainer = scenario.trainer(1);
            trainer.start();

            TrainerLost lost = log.await(runId, TrainerLost.class, any -> true, DEADLINE);

            assertThat(lost.retry()).isFalse();
            assertThat(lost.reason()).contains("equal_reward_groups is 1 at step 5, above 0.9");
            trainer.end(DEADLINE);
        }
    }

    @Test
    void aWarningIsToldAndTheRunGoesOn(KafkaBroker kafka) throws IOException {
        String runId = kafka.newRunId("warned");
        try (Scenario scenario = scenario(kafka, runId, GuardAction.WARN);
                EventLog log = kafka.follow(Topics.TRAINING);
                SmallRollout rollout = rollout(kafka, runId)) {
            RunTrainer trainer = scenario.trainer(1);
            trainer.start();

            log.await(runId, CheckpointSaved.class, CheckpointSaved::last, DEADLINE);

            assertThat(log.events(runId, GuardTripped.class)).singleElement().satisfies(trip -> {
                assertThat(trip.step()).isEqualTo(5);
                assertThat(trip.value()).isEqualTo(1);
            });
            trainer.end(DEADLINE);
        }
    }

    private Scenario scenario(KafkaBroker kafka, String runId, GuardAction action) throws IOException {
        Scenario scenario = new Scenario(kafka.connection("trainer-test"), runId, dataRoot, 0);
        scenario.guards = List.of(new Guard(RunMetric.EQUAL_REWARD_GROUPS.wireName(), 0.9, 1, action, 60));
        return scenario;
    }

    private static SmallRollout rollout(KafkaBroker kafka, String runId) {
        SmallRollout rollout = new SmallRollout(kafka.connection("rollout-test"), runId);
        rollout.solve(cursor -> cursor == 8 || cursor == 9);
        return rollout;
    }
}
