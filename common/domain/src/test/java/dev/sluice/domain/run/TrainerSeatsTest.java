package dev.sluice.domain.run;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.events.InstanceSnapshot.Role;
import dev.sluice.events.RunEvent;
import dev.sluice.events.RunEvent.RunAssigned;
import dev.sluice.events.RunEvent.RunQueued;
import dev.sluice.events.RunEvent.TrainerNode;
import dev.sluice.events.RunEvent.TrainerShare;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Runs whose worker trains on GPUs; a node has 4. */
class TrainerSeatsTest {
    private static final Duration UNTIL_LOST = Duration.ofSeconds(7);

    private final Story story = new Story();

    @AfterEach
    void theLogAloneGivesTheSameRuns() {
        assertThat(story.replayed()).containsExactlyElementsOf(story.desk.runs());
    }

    @Test
    void aWorkerGetsGpusOfItsInstanceByIndexAndTheNextRunGetsOthers() {
        begin(2);
        story.start("trainer-1", "a", Role.TRAINER, 2, 4);
        story.happens();
        story.planTraining("second", 2);
        story.hear(Reports.converted("second"));

        story.happens();

        assertThat(story.log)
                .filteredOn(RunAssigned.class::isInstance)
                .extracting(event -> ((RunAssigned) event).trainer())
                .containsExactly(
                        new TrainerShare("trainer-1", "a", 1, List.of(0, 1), null, List.of()),
                        new TrainerShare("trainer-1", "a", 1, List.of(2, 3), null, List.of()));
    }

    @Test
    void anInstanceThatDoesNotSayHowManyGpusItHasLeasesNone() {
        begin(2);
        story.start("trainer-1", "a", Role.TRAINER, 1, 0);

        story.happens();

        assertThat(story.assignment().trainer()).isEqualTo(new TrainerShare("trainer-1", "a", 1));
    }

    @Test
    void aRunWaitsForATrainerWithAsManyFreeGpus() {
        begin(4);
        story.start("trainer-1", "a", Role.TRAINER, 1, 2);

        assertThat(story.happens())
                .singleElement()
                .isInstanceOfSatisfying(
                        RunQueued.class,
                        queued -> assertThat(queued.reason())
                                .isEqualTo(
                                        "waits for a trainer instance with a free slot and 4 free GPUs (backend cpu)"));
    }

    @Test
    void aWorkerOfTwoNodesTakesTwoInstancesAndTheFirstIsWhereTheyMeet() {
        begin(8);
        story.start("trainer-1", "a", Role.TRAINER, 1, 4);
        List<RunEvent> alone = story.happens();
        story.start("trainer-2", "b", Role.TRAINER, 1, 4);

        story.happens();

        assertThat(alone)
                .singleElement()
                .isInstanceOfSatisfying(
                        RunQueued.class,
                        queued -> assertThat(queued.reason())
                                .startsWith(
                                        "waits for 2 trainer instances with a free slot and 4 free GPUs (backend cpu), one for each node of the worker; there is 1"));
        assertThat(story.assignment().trainer())
                .isEqualTo(new TrainerShare(
                        "trainer-1",
                        "a",
                        1,
                        List.of(0, 1, 2, 3),
                        "host",
                        List.of(new TrainerNode("trainer-2", "b", List.of(0, 1, 2, 3)))));
    }

    @Test
    void aWorkerThatLosesANodeIsFormedAnewUnderANewEpoch() {
        begin(8);
        story.start("trainer-1", "a", Role.TRAINER, 1, 4);
        story.start("trainer-2", "a", Role.TRAINER, 1, 4);
        story.happens();
        story.start("trainer-3", "a", Role.TRAINER, 1, 4);
        story.silence("trainer-2");

        story.pass(UNTIL_LOST);

        RunAssigned assigned = story.assignment();
        assertThat(assigned.reason()).isEqualTo("trainer-2 sent no heartbeat");
        assertThat(assigned.trainer().instanceId()).isEqualTo("trainer-1");
        assertThat(assigned.trainer().trainerEpoch()).isEqualTo(2);
        assertThat(assigned.trainer().others()).containsExactly(new TrainerNode("trainer-3", "a", List.of(0, 1, 2, 3)));
    }

    @Test
    void aNodeOfOneRunsWorkerIsNoTrainerOfAnotherRun() {
        begin(8);
        story.start("trainer-1", "a", Role.TRAINER, 1, 4);
        story.start("trainer-2", "a", Role.TRAINER, 1, 4);
        story.happens();
        story.planTraining("second", 1);
        story.hear(Reports.converted("second"));

        assertThat(story.happens())
                .filteredOn(event -> event.runId().equals("second"))
                .singleElement()
                .isInstanceOf(RunQueued.class);
    }

    private void begin(int gpus) {
        story.start("rollout-1", "a", Role.ROLLOUT, 4);
        story.planTraining(Story.RUN, gpus);
        story.hear(Reports.converted(Story.RUN));
    }
}
