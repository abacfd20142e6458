package dev.sluice.domain.run;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.events.InstanceSnapshot.Role;
import dev.sluice.events.InstanceSnapshot.State;
import dev.sluice.events.RunEvent;
import dev.sluice.events.RunEvent.RolloutShare;
import dev.sluice.events.RunEvent.RunAssigned;
import dev.sluice.events.RunEvent.RunFailed;
import dev.sluice.events.RunEvent.RunQueued;
import dev.sluice.events.RunEvent.RunStarted;
import dev.sluice.events.RunEvent.RunSucceeded;
import dev.sluice.events.RunEvent.TrainerShare;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class ReplacementTest {
    private static final Duration UNTIL_LOST = Duration.ofSeconds(7);

    private Story story = Story.ofRunningRun();

    @AfterEach
    void theLogAloneGivesTheSameRuns() {
        assertThat(story.replayed()).containsExactlyElementsOf(story.desk.runs());
    }

    @Test
    void aTrainerWithoutHeartbeatIsReplacedUnderANewTrainerEpoch() {
        story.start("trainer-2", "a", Role.TRAINER, 1);
        story.silence("trainer-1");

        assertThat(story.pass(Duration.ofSeconds(6))).isEmpty();
        List<RunEvent> decided = story.pass(Duration.ofSeconds(1));

        assertThat(decided)
                .containsExactly(new RunAssigned(
                        Story.RUN,
                        2,
                        new TrainerShare("trainer-2", "a", 2),
                        List.of(share("rollout-1", "a", 1), share("rollout-2", "a", 1)),
                        "trainer-1 sent no heartbeat"));
        assertThat(story.run().phase()).isEqualTo(RunPhase.ASSIGNED);
    }

    @Test
    void aRunIsStartedAgainUnderEachNewTrainer() {
        story.start("trainer-1", "b", Role.TRAINER, 1);
        story.happens();
        story.hear(Reports.trainerReady(Story.RUN, story.assignment()));

        assertThat(story.happens()).containsExactly(new RunStarted(Story.RUN, 2));
    }

    @Test
    void aTrainerProcessThatWasStartedAnewIsAnotherTrainer() {
        story.start("trainer-1", "b", Role.TRAINER, 1);

        assertThat(story.happens()).singleElement().isInstanceOfSatisfying(RunAssigned.class, assigned -> {
            assertThat(assigned.trainer()).isEqualTo(new TrainerShare("trainer-1", "b", 2));
            assertThat(assigned.reason()).isEqualTo("trainer-1 was started anew");
        });
    }

    @Test
    void aRolloutInstanceWithoutHeartbeatIsReplacedAndTheTrainerGoesOn() {
        story.start("rollout-3", "a", Role.ROLLOUT, 1);
        story.silence("rollout-2");

        List<RunEvent> decided = story.pass(UNTIL_LOST);

        assertThat(decided)
                .containsExactly(new RunAssigned(
                        Story.RUN,
                        2,
                        new TrainerShare("trainer-1", "a", 1),
                        List.of(share("rollout-1", "a", 1), share("rollout-3", "a", 1)),
                        "rollout-2 sent no heartbeat"));
        assertThat(story.run().phase()).isEqualTo(RunPhase.RUNNING);
    }

    @Test
    void aStoppedRolloutInstanceIsReplacedAtOnce() {
        story.say("rollout-2", State.STOPPED);

        assertThat(story.happens())
                .singleElement()
                .isInstanceOfSatisfying(
                        RunAssigned.class,
                        assigned -> assertThat(assigned.rollout()).containsExactly(share("rollout-1", "a", 1)));
    }

    @Test
    void missingEnginesAreAddedWhenThePoolGrows() {
        story.say("rollout-2", State.STOPPED);
        story.happens();
        story.start("rollout-9", "a", Role.ROLLOUT, 4);

        List<RunEvent> decided = story.happens();

        assertThat(decided).singleElement().isInstanceOfSatisfying(RunAssigned.class, assigned -> {
            assertThat(assigned.epoch()).isEqualTo(3);
            assertThat(assigned.trainer()).isEqualTo(new TrainerShare("trainer-1", "a", 1));
            assertThat(assigned.rollout()).containsExactly(share("rollout-1", "a", 1), share("rollout-9", "a", 1));
            assertThat(assigned.reason()).isEqualTo("there is room for missing engines");
        });
    }

    @Test
    void anElasticRunTakesWhatJoinsAndGivesItUpWhenAnotherRunWaits() {
        Story elastic = new Story();
        elastic.planElastic(Story.RUN, 1, 3);
        elastic.start("rollout-1", "a", Role.ROLLOUT, 1);
        elastic.start("trainer-1", "a", Role.TRAINER, 2);
        elastic.happens();
        Reports.ofAGoodStart(Story.RUN, elastic.assignment()).forEach(elastic::hear);
        elastic.happens();

        elastic.start("rollout-2", "a", Role.ROLLOUT, 2);
        assertThat(elastic.happens()).singleElement().isInstanceOfSatisfying(RunAssigned.class, assigned -> {
            assertThat(assigned.rollout()).containsExactly(share("rollout-1", "a", 1), share("rollout-2", "a", 2));
            assertThat(assigned.reason()).isEqualTo("there is room for missing engines");
        });

        elastic.plan("another", 1);
        List<RunEvent> decided = new ArrayList<>(elastic.happens());
        decided.addAll(elastic.pass(Duration.ofSeconds(10)));
        assertThat(decided)
                .filteredOn(RunAssigned.class::isInstance)
                .extracting(event -> (RunAssigned) event)
                .satisfiesExactly(
                        less -> {
                            assertThat(less.runId()).isEqualTo(Story.RUN);
                            assertThat(less.rollout())
                                    .containsExactly(share("rollout-1", "a", 1), share("rollout-2", "a", 1));
                            assertThat(less.reason()).isEqualTo("another run waits for engines");
                        },
                        other -> assertThat(other.runId()).isEqualTo("another"));
    }

    @Test
    void anInstanceThatIsNotNeededChangesNothing() {
        story.start("rollout-9", "a", Role.ROLLOUT, 4);
        story.start("trainer-9", "a", Role.TRAINER, 4);

        assertThat(story.pass(Duration.ofSeconds(10))).isEmpty();
    }

    @Test
    void aRunWithoutReplacementWaitsAndGoesOnWithTheSameTrainerWhenItComesBack() {
        story.silence("trainer-1");
        List<RunEvent> waiting = story.pass(Duration.ofSeconds(20));
        story.start("trainer-1", "a", Role.TRAINER, 1);
        List<RunEvent> back = story.happens();

        assertThat(waiting)
                .containsExactly(new RunQueued(
                        Story.RUN,
                        "trainer-1 sent no heartbeat; waits for a trainer instance with a free slot (backend cpu)",
                        1));
        assertThat(back).singleElement().isInstanceOfSatisfying(RunAssigned.class, assigned -> {
            assertThat(assigned.trainer()).isEqualTo(new TrainerShare("trainer-1", "a", 1));
            assertThat(assigned.reason()).isEqualTo("instances are back");
        });
        assertThat(story.run().phase()).isEqualTo(RunPhase.RUNNING);
    }

    @Test
    void aTrainerThatComesBackAfterAnotherTookOverGetsANewerEpoch() {
        story.start("trainer-2", "a", Role.TRAINER, 1);
        story.silence("trainer-1");
        story.pass(UNTIL_LOST);
        story.start("trainer-1", "a", Role.TRAINER, 1);
        story.say("trainer-2", State.STOPPED);
        story.happens();

        assertThat(story.assignment().trainer()).isEqualTo(new TrainerShare("trainer-1", "a", 3));
    }

    @Test
    void aTrainerThatGivesUpIsReplacedByAnotherIfThereIsOne() {
        story.start("trainer-2", "a", Role.TRAINER, 1);
        story.hear(Reports.trainerLost(Story.RUN, 1, true));

        assertThat(story.happens()).singleElement().isInstanceOfSatisfying(RunAssigned.class, assigned -> {
            assertThat(assigned.trainer()).isEqualTo(new TrainerShare("trainer-2", "a", 2));
            assertThat(assigned.reason()).isEqualTo("trainer-1 gave the run up");
        });
    }

    @Test
    void theOnlyTrainerIsAskedAgainThreeTimesAndThenTheRunFails() {
        for (int trainerEpoch = 1; trainerEpoch <= 3; trainerEpoch++) {
            story.hear(Reports.trainerLost(Story.RUN, trainerEpoch, true));
            assertThat(story.happens())
                    .singleElement()
                    .isInstanceOfSatisfying(
                            RunAssigned.class,
                            assigned ->
                                    assertThat(assigned.trainer().instanceId()).isEqualTo("trainer-1"));
        }
        story.hear(Reports.saved(Story.RUN, 5, false));
        story.hear(Reports.trainerLost(Story.RUN, 4, true));

        assertThat(story.happens())
                .containsExactly(new RunFailed(
                        Story.RUN,
                        "4 trainers gave the run up; the last said: the worker died; see its log",
                        "/cut-5"));
    }

    @Test
    void aTrainerThatSeesNoHopeFailsTheRun() {
        story.hear(Reports.trainerLost(Story.RUN, 1, false));

        assertThat(story.happens()).containsExactly(new RunFailed(Story.RUN, "the worker died; see its log", null));
    }

    @Test
    void nobodyIsDeclaredLostWhileThisProcessItselfWasHeldUp() {
        story.holdUp(Duration.ofSeconds(30));

        assertThat(story.happens()).isEmpty();
        assertThat(story.pass(Duration.ofSeconds(10))).isEmpty();
    }

    @Test
    void aStoppedEngineDoesNotCountAsReady() {
        story = Story.ofPlannedRun();
        story.start("rollout-1", "a", Role.ROLLOUT, 2);
        story.start("trainer-1", "a", Role.TRAINER, 1);
        story.happens();
        RolloutShare share = story.assignment().rollout().getFirst();
        story.hear(Reports.converted(Story.RUN));
        story.hear(Reports.engineStopped(Story.RUN, share));
        story.hear(Reports.engineReady(Story.RUN, share));
        story.hear(Reports.trainerReady(Story.RUN, story.assignment()));

        assertThat(story.happens()).isEmpty();
    }

    @Test
    void theNextRunGetsTheInstancesOfOneThatEnded() {
        story.plan("second", 2);
        List<RunEvent> before = story.happens();
        story.hear(Reports.exported(Story.RUN, 10));

        List<RunEvent> after = story.happens();

        assertThat(before).singleElement().isInstanceOf(RunQueued.class);
        assertThat(after).hasSize(2);
        assertThat(after.getFirst()).isInstanceOf(RunSucceeded.class);
        assertThat(after.getLast())
                .isInstanceOfSatisfying(
                        RunAssigned.class,
                        assigned -> assertThat(assigned.runId()).isEqualTo("second"));
    }

    private static RolloutShare share(String instanceId, String incarnation, int engines) {
        return new RolloutShare(instanceId, incarnation, engines, List.of());
    }
}
