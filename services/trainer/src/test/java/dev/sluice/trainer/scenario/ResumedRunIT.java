package dev.sluice.trainer.scenario;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.groups.Tuple.tuple;
import static org.awaitility.Awaitility.await;

import dev.sluice.domain.audit.RunAudit;
import dev.sluice.domain.ledger.Ledger;
import dev.sluice.domain.replay.ReplayLine;
import dev.sluice.domain.replay.ReplayLine.Comparison;
import dev.sluice.domain.replay.ReplayLine.Trained;
import dev.sluice.domain.replay.ReplayOrder;
import dev.sluice.events.CheckpointEvent.CheckpointConverted;
import dev.sluice.events.GroupEvent.GroupSampled;
import dev.sluice.events.GroupTask.GroupRequested;
import dev.sluice.events.RunEvent.RunPlanned;
import dev.sluice.events.Topics;
import dev.sluice.events.TrainingEvent.BatchFormed;
import dev.sluice.events.TrainingEvent.CheckpointAdopted;
import dev.sluice.events.TrainingEvent.CheckpointSaved;
import dev.sluice.events.TrainingEvent.GroupUse;
import dev.sluice.events.TrainingEvent.StepCompleted;
import dev.sluice.events.TrainingEvent.TrainerLost;
import dev.sluice.events.TrainingEvent.TrainerReady;
import dev.sluice.events.WeightEvent.WeightsPublished;
import dev.sluice.kafka.LogTrim;
import dev.sluice.testkit.EventLog;
import dev.sluice.testkit.KafkaBroker;
import dev.sluice.trainer.loop.Replay;
import dev.sluice.trainer.loop.RunTrainer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** A run of 8 steps of 2 groups with a cut every third, and another one of 11 steps that goes on from it. */
@ExtendWith(KafkaBroker.class)
class ResumedRunIT {
    private static final Duration DEADLINE = Duration.ofSeconds(25);

    @TempDir
    Path dataRoot;

    @Test
    void aRunGoesOnFromTheNewestCutOfAnEarlierOne(KafkaBroker kafka) throws IOException {
        String earlier = kafka.newRunId("earlier");
        String later = kafka.newRunId("later");
        try (EventLog log = kafka.follow(Topics.TRAINING, Topics.WEIGHTS)) {
            CheckpointSaved end = toItsEnd(kafka, log, new Scenario(kafka.connection("t"), earlier, dataRoot, 1));
            Scenario scenario = new Scenario(kafka.connection("t"), later, dataRoot, 1);
            scenario.set("training.steps", 11);
            scenario.set("checkpoints.resumeFrom", earlier);

            CheckpointSaved last = toItsEnd(kafka, log, scenario);

            assertThat(log.events(later, TrainerReady.class).getFirst())
                    .extracting(TrainerReady::step, TrainerReady::how, TrainerReady::weightsSha256)
                    .containsExactly(8, "resumed from a cut", weightsAfter(log, earlier, 8));
            assertThat(steps(log, later)).containsExactly(9, 10, 11);
            assertThat(last.step()).isEqualTo(11);
            assertThat(weightsIn(last)).isEqualTo(weightsAfter(log, later, 11));
            assertThat(log.events(later, StepCompleted.class).getLast().optimizerSteps())
                    .isEqualTo(11);
            assertThat(log.events(later, BatchFormed.class).stream().flatMap(formed -> formed.groups().stream()))
                    .allMatch(use -> use.cursor() >= end.cursorNext());
            assertThat(log.events(later, WeightsPublished.class))
                    .extracting(WeightsPublished::version, WeightsPublished::step)
                    .containsExactly(tuple(0, 0), tuple(9, 8), tuple(10, 9), tuple(11, 10), tuple(12, 11));
        }
    }

    @Test
    void aRunOnOtherPromptsDoesNotGoOnFromAnEarlierOne(KafkaBroker kafka) throws IOException {
        String earlier = kafka.newRunId("earlier-prompts");
        String later = kafka.newRunId("other-prompts");
        try (EventLog log = kafka.follow(Topics.TRAINING)) {
            toItsEnd(kafka, log, new Scenario(kafka.connection("t"), earlier, dataRoot, 1));
            try (Scenario scenario = new Scenario(kafka.connection("t"), later, dataRoot, 1)) {
                scenario.set("training.steps", 11);
                scenario.set("data.seed", 8);
                scenario.set("checkpoints.resumeFrom", earlier);
                RunTrainer trainer = scenario.trainer(1);
                trainer.start();

                TrainerLost lost = log.await(later, TrainerLost.class, event -> true, DEADLINE);

                assertThat(lost.retry()).isFalse();
                assertThat(lost.reason()).contains("was made with other prompts, seed, tokenizer or template");
                trainer.end(DEADLINE);
            }
        }
    }

    @Test
    void aRunThatGoesOnFromOneThatBrokeOffSamplesNoneOfItsFinishedGroupsAgain(KafkaBroker kafka) throws Exception {
        String earlier = kafka.newRunId("broke-off");
        String later = kafka.newRunId("takes-over");
        try (EventLog log =
                kafka.follow(Topics.TRAINING, Topics.WEIGHTS, Topics.GROUP_EVENTS, Topics.ENGINES, Topics.RUN_EVENTS)) {
            CheckpointSaved cut = toItsFourthStep(kafka, log, earlier);
            Set<Long> open = finishedAndOpen(log, cut);
            Scenario scenario = resumed(kafka, later, earlier);
            List<GroupRequested> requested = new ArrayList<>();

            toItsEnd(kafka, log, scenario, requested);

            CheckpointAdopted adopted =
                    log.events(later, CheckpointAdopted.class).getFirst();
            assertThat(open).hasSizeGreaterThanOrEqualTo(2);
            assertThat(adopted)
                    .returns(earlier, CheckpointAdopted::earlierRunId)
                    .returns(3, CheckpointAdopted::step)
                    .returns(open.size(), CheckpointAdopted::groups)
                    .returns(0, CheckpointAdopted::sampledAnew);
            assertThat(requested)
                    .filteredOn(group -> group.round() == 0 && !group.evaluation())
                    .extracting(GroupRequested::cursor)
                    .doesNotContainAnyElementsOf(open);
            assertThat(used(log, later, 4)).isSubsetOf(open);
            Ledger ledger = ledger(log, later);
            assertThat(ledger.tokensAdopted()).isEqualTo(adopted.tokens()).isPositive();
            assertThat(ledger.tokensReported()).isEqualTo(tokensOfItsOwn(log, later));
            assertThat(ledger.tokens().open()).isZero();
            assertThat(audited(log, later)).isEmpty();
            assertThat(trainedAgain(kafka, later)).containsOnly(Comparison.SAME).hasSize(8);
        }
    }

    @Test
    void groupsThatAnEndedRunHadLeftOverAreTakenOver(KafkaBroker kafka) throws IOException {
        String earlier = kafka.newRunId("left-over");
        String later = kafka.newRunId("takes-left-over");
        try (EventLog log = kafka.follow(Topics.TRAINING, Topics.GROUP_EVENTS)) {
            Scenario first = scenario(kafka, earlier);
            first.set("rollout.oversample", 2);
            toItsEnd(kafka, log, first);
            Scenario second = resumed(kafka, later, earlier);
            second.set("rollout.oversample", 2);

            toItsEnd(kafka, log, second);

            assertThat(log.events(later, CheckpointAdopted.class).getFirst().groups())
                    .isEqualTo(2);
            // Which two of the 18 were not ready in time for a step is chance.
            List<Long> leftOver = LongStream.range(0, 18)
                    .boxed()
                    .filter(cursor -> IntStream.rangeClosed(1, 8)
                            .noneMatch(step -> used(log, earlier, step).contains(cursor)))
                    .toList();
            assertThat(leftOver).hasSize(2);
            assertThat(used(log, later, 9)).containsExactlyInAnyOrderElementsOf(leftOver);
        }
    }

    @Test
    void resultsThatAreDeletedAreSampledAnewAndTheRunSaysWhy(KafkaBroker kafka) throws IOException {
        String earlier = kafka.newRunId("deleted");
        String later = kafka.newRunId("samples-anew");
        try (EventLog log = kafka.follow(Topics.TRAINING, Topics.GROUP_EVENTS)) {
            toItsFourthStep(kafka, log, earlier);
            LogTrim results = new LogTrim(kafka.connection("planner-test"), Topics.GROUP_EVENTS);
            int partition = results.partitionOf(earlier);
            long end = 1
                    + log.recordsOf(earlier).stream()
                            .filter(record -> record.event() instanceof GroupSampled)
                            .mapToLong(record -> record.offset())
                            .max()
                            .orElseThrow();
            results.deleteBelow(Map.of(partition, end));

            toItsEnd(kafka, log, resumed(kafka, later, earlier));

            assertThat(log.events(later, CheckpointAdopted.class).getFirst()).satisfies(adopted -> {
                assertThat(adopted.groups()).isZero();
                assertThat(adopted.sampledAnew()).isGreaterThanOrEqualTo(2);
                assertThat(adopted.reason()).contains("below offset " + end + " are deleted");
            });
            assertThat(steps(log, later)).contains(4, 11);
        }
    }

    @Test
    void aRunThatSamplesInAnotherWayTakesNoGroupOver(KafkaBroker kafka) throws IOException {
        String earlier = kafka.newRunId("cooler");
        String later = kafka.newRunId("hotter");
        try (EventLog log = kafka.follow(Topics.TRAINING, Topics.GROUP_EVENTS)) {
            toItsFourthStep(kafka, log, earlier);
            Scenario scenario = resumed(kafka, later, earlier);
            scenario.set("rollout.temperature", 0.5);

            toItsEnd(kafka, log, scenario);

            assertThat(log.events(later, CheckpointAdopted.class).getFirst())
                    .returns(0, CheckpointAdopted::groups)
                    .returns("rollout.temperature differ from those of run " + earlier, CheckpointAdopted::reason);
        }
    }

    private Scenario scenario(KafkaBroker kafka, String runId) throws IOException {
        return new Scenario(kafka.connection("t"), runId, dataRoot, 1);
    }

    private Scenario resumed(KafkaBroker kafka, String runId, String earlier) throws IOException {
        Scenario scenario = scenario(kafka, runId);
        scenario.set("training.steps", 11);
        scenario.set("checkpoints.resumeFrom", earlier);
        return scenario;
    }

    /** It is killed there, with its worker; its newest cut is after step 3. */
    private CheckpointSaved toItsFourthStep(KafkaBroker kafka, EventLog log, String runId) throws IOException {
        try (Scenario scenario = scenario(kafka, runId);
                SmallRollout rollout = new SmallRollout(kafka.connection("rollout-test"), runId)) {
            kafka.publish(new RunPlanned(runId, "sha", scenario.request(Map.of()), Scenario.plan()));
            rollout.pauseAt(4);
            RunTrainer trainer = scenario.trainer(1);
            trainer.start();
            log.await(runId, StepCompleted.class, completed -> completed.step() == 4, DEADLINE);
            trainer.supersede();
            trainer.join(DEADLINE);
        }
        return log.events(runId, CheckpointSaved.class).getLast();
    }

    private static Set<Long> finishedAndOpen(EventLog log, CheckpointSaved cut) {
        return log.events(cut.runId(), GroupSampled.class).stream()
                .map(GroupSampled::cursor)
                .filter(cursor ->
                        cursor >= cut.closedBelow() && !cut.closedAbove().contains(cursor))
                .collect(Collectors.toSet());
    }

    private static List<Long> used(EventLog log, String runId, int step) {
        return log.events(runId, BatchFormed.class).stream()
                .filter(formed -> formed.step() == step)
                .flatMap(formed -> formed.groups().stream())
                .map(GroupUse::cursor)
                .toList();
    }

    private static Ledger ledger(EventLog log, String runId) {
        Ledger ledger = new Ledger(runId);
        log.recordsOf(runId).forEach(record -> ledger.apply(record.event(), record.id()));
        return ledger;
    }

    private static List<String> audited(EventLog log, String runId) {
        RunAudit audit = new RunAudit(runId);
        log.recordsOf(runId).forEach(record -> audit.apply(record.event(), record.id()));
        return audit.findings(1);
    }

    private static long tokensOfItsOwn(EventLog log, String runId) {
        return log.events(runId, GroupSampled.class).stream()
                .filter(group -> group.adoptedFrom() == null)
                .flatMap(group -> group.samples().stream())
                .mapToLong(sample -> sample.tokens().length())
                .sum();
    }

    private List<Comparison> trainedAgain(KafkaBroker kafka, String runId) throws Exception {
        List<ReplayLine> report = new ArrayList<>();
        try (Scenario scenario = scenario(kafka, runId)) {
            Path directory = Files.createTempDirectory(dataRoot, "replay");
            ReplayOrder order = new ReplayOrder(runId, 0, null, null, false);
            new Replay(order, kafka.connection("replay-test"), scenario.config(), directory, report::add).run();
        }
        return report.stream()
                .map(ReplayLine::trained)
                .filter(Objects::nonNull)
                .map(Trained::comparison)
                .toList();
    }

    private CheckpointSaved toItsEnd(KafkaBroker kafka, EventLog log, Scenario run) throws IOException {
        return toItsEnd(kafka, log, run, new ArrayList<>());
    }

    private CheckpointSaved toItsEnd(KafkaBroker kafka, EventLog log, Scenario run, List<GroupRequested> requested)
            throws IOException {
        Files.createDirectories(run.converted());
        kafka.publish(new RunPlanned(run.runId, "sha", run.request(Map.of()), Scenario.plan()));
        kafka.publish(
                new CheckpointConverted(run.runId, "/source", run.converted().toString(), 1, 1, 1, false));
        try (run;
                SmallRollout rollout = new SmallRollout(kafka.connection("rollout-test"), run.runId)) {
            RunTrainer trainer = run.trainer(1);
            trainer.start();
            CheckpointSaved last = log.await(run.runId, CheckpointSaved.class, CheckpointSaved::last, DEADLINE);
            trainer.end(DEADLINE);
            requested.addAll(rollout.requested());
            return last;
        }
    }

    private static List<Integer> steps(EventLog log, String runId) {
        return log.events(runId, StepCompleted.class).stream()
                .map(StepCompleted::step)
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
