package dev.sluice.domain.run;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.events.Event;
import dev.sluice.events.InstanceSnapshot.Role;
import dev.sluice.events.RunEvent;
import dev.sluice.events.RunEvent.RunAssigned;
import dev.sluice.events.RunEvent.RunCancelled;
import dev.sluice.events.RunEvent.RunFailed;
import dev.sluice.events.RunEvent.RunQueued;
import dev.sluice.events.RunEvent.RunRejected;
import dev.sluice.events.RunEvent.RunStarted;
import dev.sluice.events.RunEvent.RunSucceeded;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class RunLifeTest {
    private Story story = Story.ofPlannedRun();

    /** Whatever a test did: the log alone must give the same runs. */
    @AfterEach
    void theLogAloneGivesTheSameRuns() {
        assertThat(story.replayed()).containsExactlyElementsOf(story.desk.runs());
    }

    @Test
    void aRunIsAssignedAtOnceWhenInstancesAreFree() {
        story.start("rollout-1", "a", Role.ROLLOUT, 1);
        story.start("rollout-2", "a", Role.ROLLOUT, 1);
        story.start("trainer-1", "a", Role.TRAINER, 1);

        List<RunEvent> decided = story.happens();

        assertThat(decided)
                .containsExactly(new RunAssigned(
                        Story.RUN,
                        1,
                        new RunEvent.TrainerShare("trainer-1", "a", 1),
                        List.of(
                                new RunEvent.RolloutShare("rollout-1", "a", 1, List.of()),
                                new RunEvent.RolloutShare("rollout-2", "a", 1, List.of())),
                        "instances are free"));
    }

    @Test
    void aWaitingRunSaysOnceForWhatAndAgainWhenThatChanges() {
        List<RunEvent> decided = new ArrayList<>(story.pass(Duration.ofSeconds(30)));
        story.start("trainer-1", "a", Role.TRAINER, 1);
        decided.addAll(story.pass(Duration.ofSeconds(30)));

        assertThat(decided)
                .containsExactly(
                        new RunQueued(Story.RUN, "waits for a trainer instance with a free slot (backend cpu)", 1),
                        new RunQueued(Story.RUN, "waits for a rollout instance with a free slot (backend cpu)", 1));
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8})
    void aRunStartsWhenAllAreReadyInWhateverOrderTheyReport(long seed) {
        story = Story.ofPlannedRun();
        story.start("rollout-1", "a", Role.ROLLOUT, 2);
        story.start("trainer-1", "a", Role.TRAINER, 1);
        story.happens();
        List<Event> reports = new ArrayList<>(Reports.ofAGoodStart(Story.RUN, story.assignment()));
        Collections.shuffle(reports, new Random(seed));

        List<RunEvent> decided = new ArrayList<>();
        for (Event report : reports) {
            story.hear(report);
            story.hear(report); // a report that comes twice changes nothing
            decided.addAll(story.happens());
        }

        assertThat(decided).as("seed %d", seed).containsExactly(new RunStarted(Story.RUN, 1));
    }

    @Test
    void aRunSucceedsWhenItsLastCutIsExported() {
        story = Story.ofRunningRun();
        story.hear(Reports.saved(Story.RUN, 10, true));
        story.hear(Reports.exported(Story.RUN, 10));

        assertThat(story.happens()).containsExactly(new RunSucceeded(Story.RUN, 10, "/cut-10", "/export"));
        assertThat(story.pass(Duration.ofMinutes(20))).isEmpty();
    }

    @Test
    void aFailedConversionFailsTheRunWithTheConvertersWords() {
        story.hear(Reports.conversionFailed(Story.RUN));

        assertThat(story.happens())
                .containsExactly(new RunFailed(
                        Story.RUN, "the checkpoint could not be converted: the disk is full; free 3 GiB", null));
    }

    @Test
    void aConverterThatStaysSilentFailsTheRunAfterTenMinutes() {
        story.start("rollout-1", "a", Role.ROLLOUT, 2);
        story.happens();

        List<RunEvent> decided = story.pass(Duration.ofSeconds(599));
        List<RunEvent> later = story.pass(Duration.ofSeconds(2));

        assertThat(decided).noneMatch(RunFailed.class::isInstance);
        assertThat(later)
                .singleElement()
                .isInstanceOfSatisfying(
                        RunFailed.class,
                        failed -> assertThat(failed.reason()).startsWith("the converter did not report for 600 s"));
    }

    @Test
    void enginesThatDoNotGetReadyFailTheRun() {
        story.start("rollout-1", "a", Role.ROLLOUT, 2);
        story.start("trainer-1", "a", Role.TRAINER, 1);
        story.happens();
        story.hear(Reports.converted(Story.RUN));
        story.hear(Reports.trainerReady(Story.RUN, story.assignment()));

        List<RunEvent> decided = story.pass(Duration.ofSeconds(1205));

        assertThat(decided.getLast())
                .isInstanceOfSatisfying(
                        RunFailed.class,
                        failed -> assertThat(failed.reason())
                                .startsWith("no engine of rollout-1 was ready within 1200 s"));
    }

    @Test
    void aTrainerThatDoesNotGetReadyFailsTheRunAfterTheConversion() {
        story.start("rollout-1", "a", Role.ROLLOUT, 2);
        story.start("trainer-1", "a", Role.TRAINER, 1);
        story.happens();
        story.hear(Reports.engineReady(Story.RUN, story.assignment().rollout().getFirst()));
        story.hear(Reports.converted(Story.RUN));

        List<RunEvent> decided = story.pass(Duration.ofSeconds(305));

        assertThat(decided)
                .singleElement()
                .isInstanceOfSatisfying(
                        RunFailed.class,
                        failed -> assertThat(failed.reason()).startsWith("trainer-1 was not ready within 300 s"));
    }

    @Test
    void anExportThatDoesNotComeFailsTheRunAndNamesTheCut() {
        story = Story.ofRunningRun();
        story.hear(Reports.saved(Story.RUN, 10, true));

        List<RunEvent> decided = story.pass(Duration.ofSeconds(605));

        assertThat(decided).singleElement().isInstanceOfSatisfying(RunFailed.class, failed -> {
            assertThat(failed.reason()).contains("export /cut-10 by hand");
            assertThat(failed.lastCheckpoint()).isEqualTo("/cut-10");
        });
    }

    @Test
    void aCancelledRunWaitsForItsExport() {
        story = Story.ofRunningRun();
        story.desk.stop(Story.RUN, "enough").ifPresent(story::append);
        story.pass(Duration.ofSeconds(5));
        story.hear(Reports.saved(Story.RUN, 7, true));
        story.hear(Reports.exported(Story.RUN, 7));

        assertThat(story.happens())
                .containsExactly(new RunCancelled(Story.RUN, "enough; step 7 is exported to /export"));
        assertThat(story.desk.stop(Story.RUN, "again")).isEmpty();
    }

    @Test
    void aCancelledRunWaitsThirtySecondsAtMost() {
        story = Story.ofRunningRun();
        story.desk.stop(Story.RUN, "enough").ifPresent(story::append);

        assertThat(story.pass(Duration.ofSeconds(30))).isEmpty();
        assertThat(story.pass(Duration.ofSeconds(1)))
                .containsExactly(new RunCancelled(Story.RUN, "enough; the last cut was not exported within 30 s"));
    }

    @Test
    void aCancelledRunWhoseTrainerGivesItUpEndsAtOnceWithTheReason() {
        story = Story.ofRunningRun();
        story.desk.stop(Story.RUN, "enough").ifPresent(story::append);
        story.hear(Reports.trainerLost(Story.RUN, 1, false));

        assertThat(story.happens())
                .containsExactly(new RunCancelled(
                        Story.RUN, "enough; the trainer ended before it saved: the worker died; see its log"));
    }

    @Test
    void aCancelledRunThatNeverBeganEndsAtOnce() {
        story.desk.stop(Story.RUN, "enough").ifPresent(story::append);

        assertThat(story.happens()).containsExactly(new RunCancelled(Story.RUN, "enough; training had not begun"));
    }

    @Test
    void aRequestThatComesAgainIsAcceptedOnce() {
        assertThat(story.desk.answer(Story.planned(Story.RUN, 2, 10))).isEmpty();
    }

    @Test
    void anotherRequestUnderTheSameIdIsRejectedAndTheRunGoesOn() {
        story = Story.ofRunningRun();
        Run before = story.run();

        RunEvent answer = story.desk.answer(Story.planned(Story.RUN, 2, 11)).orElseThrow();
        story.append(answer);

        assertThat(answer)
                .isInstanceOfSatisfying(
                        RunRejected.class,
                        rejected -> assertThat(rejected.problems()).containsExactly(RunDesk.conflict(Story.RUN)));
        assertThat(story.run()).isEqualTo(before);
        assertThat(story.pass(Duration.ofSeconds(10))).isEmpty();
    }

    @Test
    void aRejectedRequestCanBeMendedUnderTheSameId() {
        story = new Story();
        story.append(new RunRejected(Story.RUN, List.of(RunDesk.conflict(Story.RUN))));

        story.plan(Story.RUN, 2);

        assertThat(story.run().phase()).isEqualTo(RunPhase.PLANNED);
    }
}
