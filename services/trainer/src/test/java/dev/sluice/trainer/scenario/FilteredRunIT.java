package dev.sluice.trainer.scenario;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.events.GroupEvent.GroupAbandoned;
import dev.sluice.events.MetricPoint;
import dev.sluice.events.Rollout.DynamicFilter;
import dev.sluice.events.Topics;
import dev.sluice.events.TrainingEvent.BatchFormed;
import dev.sluice.events.TrainingEvent.CheckpointSaved;
import dev.sluice.events.TrainingEvent.DropReason;
import dev.sluice.events.TrainingEvent.GroupDrop;
import dev.sluice.events.TrainingEvent.GroupUse;
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

@ExtendWith(KafkaBroker.class)
class FilteredRunIT {
    private static final Duration DEADLINE = Duration.ofSeconds(25);

    @TempDir
    Path dataRoot;

    @Test
    void trainsOnlyOnGroupsWhoseRewardsDifferAndCountsTheOthers(KafkaBroker kafka) throws IOException {
        String runId = kafka.newRunId("filtered");
        try (Scenario scenario = scenario(kafka, runId, DynamicFilter.NONZERO_STD);
                EventLog log = kafka.follow(Topics.TRAINING, Topics.METRICS);
                SmallRollout rollout = new SmallRollout(kafka.connection("rollout-test"), runId)) {
            rollout.solve(cursor -> cursor % 3 == 0);
            RunTrainer trainer = scenario.trainer(1);
            trainer.start();

            log.await(runId, CheckpointSaved.class, CheckpointSaved::last, DEADLINE);

            List<BatchFormed> steps = log.events(runId, BatchFormed.class).stream()
                    .filter(formed -> !formed.groups().isEmpty())
                    .toList();
            List<GroupDrop> filtered = filtered(steps);
            assertThat(steps).hasSize(Scenario.STEPS);
            assertThat(steps)
                    .flatExtracting(BatchFormed::groups)
                    .extracting(GroupUse::cursor)
                    .noneMatch(cursor -> (long) cursor % 3 == 0);
            assertThat(filtered).isNotEmpty().allMatch(drop -> drop.cursor() % 3 == 0 && !drop.again());
            assertThat(log.events(runId, MetricPoint.class))
                    .filteredOn(point -> point.name().equals("rollout/dynamic_filter/drop_zero_std_1.0"))
                    .extracting(MetricPoint::value)
                    .satisfies(counts -> assertThat(
                                    counts.stream().mapToDouble(count -> count).sum())
                            .isEqualTo(filtered.size()));
            trainer.end(DEADLINE);
        }
    }

    @Test
    void aWaitSaysThatEverythingIsFilteredWhereTheModelSolvesEveryPrompt(KafkaBroker kafka) throws IOException {
        String runId = kafka.newRunId("all-filtered");
        try (Scenario scenario = scenario(kafka, runId, DynamicFilter.NONZERO_STD);
                EventLog log = kafka.follow(Topics.TRAINING);
                SmallRollout rollout = new SmallRollout(kafka.connection("rollout-test"), runId)) {
            rollout.solve(cursor -> true);
            RunTrainer trainer = scenario.trainer(1);
            trainer.start();

            BatchFormed closing = log.await(runId, BatchFormed.class);
            WaitChanged wait = log.await(
                    runId, WaitChanged.class, waiting -> waiting.reason().contains("filtered"), DEADLINE);

            assertThat(closing.groups()).isEmpty();
            assertThat(filtered(List.of(closing))).hasSizeGreaterThanOrEqualTo(64);
            assertThat(wait.waitingFor()).isEqualTo("groups of step 1");
            assertThat(wait.reason()).containsPattern("(\\d+) of the last \\1 groups filtered because their rewards");
            trainer.supersede();
        }
    }

    @Test
    void promptsThatEveryEngineRefusesAreAskedForSlowlyAndTheWaitSaysWhy(KafkaBroker kafka) throws IOException {
        String runId = kafka.newRunId("refused");
        try (Scenario scenario = scenario(kafka, runId, DynamicFilter.NONE);
                EventLog log = kafka.follow(Topics.TRAINING, Topics.GROUP_EVENTS);
                SmallRollout rollout = new SmallRollout(kafka.connection("rollout-test"), runId)) {
            rollout.refuse("the prompt is beyond the context");
            RunTrainer trainer = scenario.trainer(1);
            trainer.start();

            log.await(runId, WaitChanged.class, waiting -> waiting.reason().contains("beyond the context"), DEADLINE);

            assertThat(log.events(runId, GroupAbandoned.class))
                    .as("as many as are asked for before it is noticed, and not all that ten seconds have room for")
                    .hasSizeBetween(32, 100);
            trainer.supersede();
        }
    }

    @Test
    void withAFallbackTheRunGoesOnWhereTheModelSolvesEveryPrompt(KafkaBroker kafka) throws IOException {
        String runId = kafka.newRunId("fallback");
        try (Scenario scenario = scenario(kafka, runId, DynamicFilter.NONZERO_STD_WITH_FALLBACK);
                EventLog log = kafka.follow(Topics.TRAINING);
                SmallRollout rollout = new SmallRollout(kafka.connection("rollout-test"), runId)) {
            rollout.solve(cursor -> true);
            RunTrainer trainer = scenario.trainer(1);
            trainer.start();

            CheckpointSaved last = log.await(runId, CheckpointSaved.class, CheckpointSaved::last, DEADLINE);

            assertThat(last.step()).isEqualTo(Scenario.STEPS);
            trainer.end(DEADLINE);
        }
    }

    private Scenario scenario(KafkaBroker kafka, String runId, DynamicFilter filter) throws IOException {
        return new Scenario(kafka.connection("trainer-test"), runId, dataRoot, 1, filter);
    }

    private static List<GroupDrop> filtered(List<BatchFormed> batches) {
        return batches.stream()
                .flatMap(formed -> formed.dropped().stream())
                .filter(drop -> drop.reason() == DropReason.FILTERED)
                .toList();
    }
}
