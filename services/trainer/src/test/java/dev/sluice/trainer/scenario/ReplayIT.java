package dev.sluice.trainer.scenario;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sluice.domain.replay.ReplayLine;
import dev.sluice.domain.replay.ReplayLine.Comparison;
import dev.sluice.domain.replay.ReplayLine.Trained;
import dev.sluice.domain.replay.ReplayOrder;
import dev.sluice.events.CheckpointEvent.CheckpointConverted;
import dev.sluice.events.RunEvent.RunPlanned;
import dev.sluice.events.Topics;
import dev.sluice.events.TrainingEvent.BatchFormed;
import dev.sluice.events.TrainingEvent.CheckpointSaved;
import dev.sluice.events.TrainingEvent.GroupUse;
import dev.sluice.events.TrainingRequest;
import dev.sluice.kafka.LogTrim;
import dev.sluice.testkit.EventLog;
import dev.sluice.testkit.KafkaBroker;
import dev.sluice.trainer.loop.Replay;
import dev.sluice.trainer.loop.RunTrainer;
import dev.sluice.trainer.run.ImpossibleOrderException;
import dev.sluice.trainer.run.TrainingRefusedException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** The worker's weights are a hash chain over what it was trained on, so that equal hashes prove equal batches in order. */
@ExtendWith(KafkaBroker.class)
class ReplayIT {
    private static final Duration DEADLINE = Duration.ofSeconds(25);

    @TempDir
    Path dataRoot;

    private final List<ReplayLine> report = new ArrayList<>();

    @Test
    void everyStepOfARunHasTheSameWeightsWhenItIsTrainedAgainFromTheLog(KafkaBroker kafka) throws Exception {
        String runId = kafka.newRunId("replayed");
        try (Scenario scenario = scenario(kafka, runId)) {
            train(kafka, scenario);

            replay(kafka, scenario, new ReplayOrder(runId, 0, null, null, false));

            assertThat(trained()).extracting(Trained::step).containsExactly(1, 2, 3, 4, 5, 6, 7, 8);
            assertThat(trained()).extracting(Trained::comparison).containsOnly(Comparison.SAME);
            assertThat(trained())
                    .allSatisfy(step -> assertThat(step.figures())
                            .containsEntry("rollout/raw_reward", step.recorded().get("rollout/raw_reward")));
        }
    }

    @Test
    void aReplayBeginsAtTheNewestCutBeforeItsFirstStepAndEndsWhereItIsAskedTo(KafkaBroker kafka) throws Exception {
        String runId = kafka.newRunId("from-a-cut");
        try (Scenario scenario = scenario(kafka, runId)) {
            train(kafka, scenario);

            replay(kafka, scenario, new ReplayOrder(runId, 6, 7, null, true));

            assertThat(report.getFirst().begun()).isNotNull();
            assertThat(Objects.requireNonNull(report.getFirst().begun()).step()).isEqualTo(6);
            assertThat(trained()).extracting(Trained::step).containsExactly(7);
            assertThat(trained()).extracting(Trained::comparison).containsOnly(Comparison.SAME);
            String saved = Objects.requireNonNull(report.getLast().saved()).directory();
            assertThat(Files.readAllLines(Path.of(saved, "weights.txt")))
                    .containsExactly("7", trained().getLast().weightsSha256());
        }
    }

    @Test
    void aRunThatWentOnFromAnEarlierOneIsTrainedAgainFromThatOnesCut(KafkaBroker kafka) throws Exception {
        String earlier = kafka.newRunId("gone-on-from");
        String later = kafka.newRunId("went-on");
        try (Scenario first = scenario(kafka, earlier)) {
            train(kafka, first);
        }
        try (Scenario second = scenario(kafka, later)) {
            second.set("training.steps", 11);
            second.set("checkpoints.resumeFrom", earlier);
            train(kafka, second);

            replay(kafka, second, new ReplayOrder(later, 0, null, null, false));

            assertThat(Objects.requireNonNull(report.getFirst().begun()).step()).isEqualTo(8);
            assertThat(trained()).extracting(Trained::step).containsExactly(9, 10, 11);
            assertThat(trained()).extracting(Trained::comparison).containsOnly(Comparison.SAME);
        }
    }

    @Test
    void aForkTrainsWithOtherSettingsOnlyAfterItsStep(KafkaBroker kafka) throws Exception {
        String runId = kafka.newRunId("forked");
        try (Scenario scenario = scenario(kafka, runId)) {
            train(kafka, scenario);
            TrainingRequest changed = scenario.request(Map.of("algorithm.normaliseByStd", false));

            replay(kafka, scenario, new ReplayOrder(runId, 4, null, changed, false));

            assertThat(trained())
                    .extracting(Trained::changed)
                    .containsExactly(false, false, false, false, true, true, true, true);
            assertThat(trained())
                    .extracting(Trained::comparison)
                    .containsExactly(
                            Comparison.SAME,
                            Comparison.SAME,
                            Comparison.SAME,
                            Comparison.SAME,
                            Comparison.OTHER,
                            Comparison.OTHER,
                            Comparison.OTHER,
                            Comparison.OTHER);
        }
    }

    @Test
    void aReplayWhoseLogIsTrimmedSaysHowFarItGoesBackAndWhereToBegin(KafkaBroker kafka) throws Exception {
        String runId = kafka.newRunId("trimmed");
        try (Scenario scenario = scenario(kafka, runId)) {
            List<BatchFormed> formed = train(kafka, scenario);
            long firstOfStepSeven = formed.get(6).groups().stream()
                    .mapToLong(GroupUse::offset)
                    .min()
                    .orElseThrow();
            LogTrim log = new LogTrim(kafka.connection("planner-test"), Topics.GROUP_EVENTS);
            log.deleteBelow(Map.of(log.partitionOf(runId), firstOfStepSeven));

            assertThatThrownBy(() -> replay(kafka, scenario, new ReplayOrder(runId, 0, null, null, false)))
                    .isInstanceOf(TrainingRefusedException.class)
                    .hasMessageMatching("the log of run \\S+ goes back to step [78]: .*use --from [68] or later");
        }
    }

    @Test
    void aReplayWithoutTheModelThatTheRunBeganWithSaysHowToMakeIt(KafkaBroker kafka) throws Exception {
        String runId = kafka.newRunId("no-model");
        try (Scenario scenario = scenario(kafka, runId)) {
            train(kafka, scenario);
            Files.delete(scenario.converted());

            assertThatThrownBy(() -> replay(kafka, scenario, new ReplayOrder(runId, 0, null, null, false)))
                    .isInstanceOf(TrainingRefusedException.class)
                    .hasMessageContaining("make it again with: sluice convert");
        }
    }

    @Test
    void stepsThatTheLogLacksAreRefused(KafkaBroker kafka) throws Exception {
        String runId = kafka.newRunId("too-far");
        try (Scenario scenario = scenario(kafka, runId)) {
            train(kafka, scenario);

            assertThatThrownBy(() -> replay(kafka, scenario, new ReplayOrder(runId, 0, 9, null, false)))
                    .isInstanceOf(ImpossibleOrderException.class)
                    .hasMessageContaining("has formed 8 steps; steps 1 to 9 are not in its log");
            assertThatThrownBy(() -> replay(kafka, scenario, new ReplayOrder("nobody", 0, null, null, false)))
                    .hasMessageContaining("knows no run nobody");
        }
    }

    private Scenario scenario(KafkaBroker kafka, String runId) throws IOException {
        return new Scenario(kafka.connection("trainer-test"), runId, dataRoot, 1);
    }

    /** The run, with what planner and converter say of it. */
    private static List<BatchFormed> train(KafkaBroker kafka, Scenario scenario) throws IOException {
        Files.createDirectories(scenario.converted());
        kafka.publish(new RunPlanned(scenario.runId, "sha", scenario.request(Map.of()), Scenario.plan()));
        kafka.publish(new CheckpointConverted(
                scenario.runId, "/source", scenario.converted().toString(), 1, 1, 1, false));
        try (EventLog log = kafka.follow(Topics.TRAINING);
                SmallRollout rollout = new SmallRollout(kafka.connection("rollout-test"), scenario.runId)) {
            RunTrainer trainer = scenario.trainer(1);
            trainer.start();
            log.await(scenario.runId, CheckpointSaved.class, CheckpointSaved::last, DEADLINE);
            trainer.end(DEADLINE);
            return log.events(scenario.runId, BatchFormed.class).stream()
                    .filter(formed -> !formed.groups().isEmpty())
                    .toList();
        }
    }

    private void replay(KafkaBroker kafka, Scenario scenario, ReplayOrder order) throws Exception {
        Path directory = Files.createTempDirectory(dataRoot, "replay");
        new Replay(order, kafka.connection("replay-test"), scenario.config(), directory, report::add).run();
    }

    private List<Trained> trained() {
        return report.stream()
                .map(ReplayLine::trained)
                .filter(Objects::nonNull)
                .map(ReplayIT::known)
                .toList();
    }

    private static Trained known(@Nullable Trained step) {
        return Objects.requireNonNull(step);
    }
}
