package dev.sluice.domain.run;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.events.InstanceSnapshot.Role;
import dev.sluice.events.RunEvent;
import dev.sluice.events.RunEvent.EngineNode;
import dev.sluice.events.RunEvent.RolloutShare;
import dev.sluice.events.RunEvent.RunAssigned;
import dev.sluice.events.RunEvent.RunQueued;
import dev.sluice.events.RunEvent.TrainerNode;
import dev.sluice.events.RunEvent.TrainerShare;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Runs whose engines and training take turns on the same hosts; a host has 4 GPUs. */
class SharedHostsTest {
    private static final Duration UNTIL_LOST = Duration.ofSeconds(7);
    private static final List<Integer> ALL = List.of(0, 1, 2, 3);

    private final Story story = new Story();

    @AfterEach
    void theLogAloneGivesTheSameRuns() {
        assertThat(story.replayed()).containsExactlyElementsOf(story.desk.runs());
    }

    @Test
    void engineAndWorkerOfAHostGetTheSameGpus() {
        host("a", 1);
        begin(4, 2, 2);

        story.happens();

        assertThat(story.assignment().trainer()).isEqualTo(new TrainerShare("trainer-a", "1", 1, ALL, null, List.of()));
        assertThat(story.assignment().rollout()).containsExactly(new RolloutShare("rollout-a", "1", 2, ALL));
    }

    @Test
    void aRunWaitsWhereNoHostHasBothSidesAndSaysWhereTheyAre() {
        story.startOn("a", "trainer-a", "1", Role.TRAINER, 1, 4);
        story.startOn("b", "rollout-b", "1", Role.ROLLOUT, 4, 4);
        begin(4, 1, 4);

        assertThat(reasons(story.happens()))
                .containsExactly(
                        "waits for a host with a trainer and a rollout instance, and 4 GPUs that both have free (backend cpu), since its engines and training take turns there; trainers are on a, rollout instances on b");
    }

    @Test
    void aNodeOfTheWorkerLiesOnAHostOfItsOwnWithItsEnginesInTheOrderOfItsRanks() {
        host("b", 1);
        host("a", 2);
        begin(8, 4, 2);

        story.happens();

        assertThat(story.assignment().trainer())
                .isEqualTo(new TrainerShare(
                        "trainer-a", "1", 1, ALL, "a", List.of(new TrainerNode("trainer-b", "1", ALL))));
        assertThat(story.assignment().rollout())
                .containsExactly(
                        new RolloutShare("rollout-a", "1", 2, ALL), new RolloutShare("rollout-b", "1", 2, ALL));
    }

    @Test
    void enginesThatNeedFewerGpusThanTheWorkerLieOnThoseOfItsFirstRanks() {
        host("a", 1);
        host("b", 1);
        begin(8, 3, 2);

        story.happens();

        assertThat(story.assignment().rollout())
                .containsExactly(
                        new RolloutShare("rollout-a", "1", 2, ALL),
                        new RolloutShare("rollout-b", "1", 1, List.of(0, 1)));
    }

    @Test
    void anEngineOfTwoNodesLiesBesideTwoNodesOfTheWorker() {
        host("a", 1);
        host("b", 1);
        begin(8, 1, 8);

        story.happens();

        assertThat(story.assignment().rollout())
                .containsExactly(
                        new RolloutShare("rollout-a", "1", 1, ALL, new EngineNode(1, "rollout-a", 0, 2)),
                        new RolloutShare("rollout-b", "1", 1, ALL, new EngineNode(1, "rollout-a", 1, 2)));
    }

    @Test
    void twoHostsAreMissingWhereOneHasBothSides() {
        host("a", 1);
        begin(8, 1, 8);

        assertThat(reasons(story.happens())).singleElement().asString().contains("waits for 2 hosts", "; there is 1");
    }

    @Test
    void gpusOfAnotherRunAreFreeForNeitherSide() {
        host("a", 2);
        begin(2, 1, 2);
        story.happens();
        story.planTurns("second", 2, 1, 2);
        story.hear(Reports.converted("second"));

        story.happens();

        RunAssigned second = story.assignment();
        assertThat(second.runId()).isEqualTo("second");
        assertThat(second.trainer().gpus()).containsExactly(2, 3);
        assertThat(second.rollout()).containsExactly(new RolloutShare("rollout-a", "1", 1, List.of(2, 3)));
    }

    @Test
    void gpusThatTrainWithoutAnEngineAreNotGivenToAnotherRunsEngines() {
        host("a", 2);
        begin(4, 1, 2);
        story.happens();
        story.planNodes("second", 1, 0, 1, 2);
        story.hear(Reports.converted("second"));
        story.startOn("c", "trainer-c", "1", Role.TRAINER, 1, 0);

        assertThat(reasons(story.happens())).singleElement().asString().contains("rollout instance");
    }

    @Test
    void whereTheInstanceBesideTheWorkerStartsAnewTheWorkerStays() {
        host("a", 1);
        begin(4, 1, 4);
        story.happens();

        story.startOn("a", "rollout-a", "2", Role.ROLLOUT, 4, 4);
        story.happens();

        assertThat(story.assignment().trainer()).isEqualTo(new TrainerShare("trainer-a", "1", 1, ALL, null, List.of()));
        assertThat(story.assignment().rollout()).containsExactly(new RolloutShare("rollout-a", "2", 1, ALL));
    }

    @Test
    void whereOneSideOfAHostIsLostBothMoveToAnotherHost() {
        host("a", 1);
        begin(4, 1, 4);
        story.happens();
        host("b", 1);
        story.silence("rollout-a");

        story.pass(UNTIL_LOST);

        assertThat(story.assignment().reason()).isEqualTo("rollout-a sent no heartbeat");
        assertThat(story.assignment().trainer()).isEqualTo(new TrainerShare("trainer-b", "1", 2, ALL, null, List.of()));
        assertThat(story.assignment().rollout()).containsExactly(new RolloutShare("rollout-b", "1", 1, ALL));
    }

    @Test
    void whereOneSideIsLostAndNoOtherHostHasBothTheRunWaitsUntilItIsBack() {
        host("a", 1);
        begin(4, 1, 4);
        story.happens();
        story.silence("trainer-a");

        List<RunEvent> waits = story.pass(UNTIL_LOST);
        story.startOn("a", "trainer-a", "2", Role.TRAINER, 1, 4);
        story.happens();

        assertThat(reasons(waits))
                .singleElement()
                .asString()
                .startsWith("trainer-a sent no heartbeat; waits for a host");
        assertThat(story.assignment().trainer()).isEqualTo(new TrainerShare("trainer-a", "2", 2, ALL, null, List.of()));
        assertThat(story.assignment().rollout()).containsExactly(new RolloutShare("rollout-a", "1", 1, ALL));
    }

    @Test
    void onCpuTheSameHostIsEnough() {
        story.startOn("a", "rollout-a", "1", Role.ROLLOUT, 1, 0);
        story.startOn("b", "rollout-b", "1", Role.ROLLOUT, 1, 0);
        story.startOn("b", "rollout-c", "1", Role.ROLLOUT, 1, 0);
        story.startOn("a", "trainer-a", "1", Role.TRAINER, 1, 0);
        story.startOn("b", "trainer-b", "1", Role.TRAINER, 1, 0);
        begin(0, 2, 0);

        story.happens();

        assertThat(story.assignment().trainer()).isEqualTo(new TrainerShare("trainer-b", "1", 1));
        assertThat(story.assignment().rollout())
                .containsExactly(
                        new RolloutShare("rollout-b", "1", 1, List.of()),
                        new RolloutShare("rollout-c", "1", 1, List.of()));
    }

    @Test
    void onCpuARunBeginsWithAllItsEnginesAndGoesOnWithThoseThatAreLeft() {
        story.startOn("a", "trainer-a", "1", Role.TRAINER, 1, 0);
        story.startOn("a", "rollout-a", "1", Role.ROLLOUT, 1, 0);
        begin(0, 2, 0);
        List<RunEvent> before = story.happens();
        story.startOn("a", "rollout-b", "1", Role.ROLLOUT, 1, 0);
        story.happens();
        story.silence("rollout-a");

        story.pass(UNTIL_LOST);

        assertThat(before).singleElement().isInstanceOf(RunQueued.class);
        assertThat(story.assignment().trainer().trainerEpoch()).isEqualTo(1);
        assertThat(story.assignment().rollout()).containsExactly(new RolloutShare("rollout-b", "1", 1, List.of()));
    }

    private void host(String name, int slots) {
        story.startOn(name, "trainer-" + name, "1", Role.TRAINER, slots, 4);
        story.startOn(name, "rollout-" + name, "1", Role.ROLLOUT, 4, 4);
    }

    private void begin(int workerGpus, int engines, int gpusPerEngine) {
        story.planTurns(Story.RUN, workerGpus, engines, gpusPerEngine);
        story.hear(Reports.converted(Story.RUN));
    }

    private static List<String> reasons(List<RunEvent> events) {
        return events.stream()
                .filter(RunQueued.class::isInstance)
                .map(event -> ((RunQueued) event).reason())
                .toList();
    }
}
