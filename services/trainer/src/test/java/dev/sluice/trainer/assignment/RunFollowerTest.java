package dev.sluice.trainer.assignment;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.events.CheckpointEvent.CheckpointConverted;
import dev.sluice.events.RunEvent.RolloutShare;
import dev.sluice.events.RunEvent.RunAssigned;
import dev.sluice.events.RunEvent.RunFailed;
import dev.sluice.events.RunEvent.RunPlanned;
import dev.sluice.events.RunEvent.TrainerNode;
import dev.sluice.events.RunEvent.TrainerShare;
import dev.sluice.trainer.run.RunSignals;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

class RunFollowerTest {
    private final List<String> done = new ArrayList<>();
    private final RunFollower follower = new RunFollower("trainer-1", "i1", new RunFollower.Training() {
        @Override
        public void begin(RunPlanned planned, TrainerShare share, RunSignals signals) {
            done.add("begin " + share.trainerEpoch());
        }

        @Override
        public void serve(RunPlanned planned, TrainerShare share, int rank) {
            done.add("serve " + share.trainerEpoch() + " as node " + rank);
        }

        @Override
        public void leave(String runId) {
            done.add("leave");
        }

        @Override
        public void supersede(String runId) {
            done.add("supersede");
        }

        @Override
        public void end(String runId) {
            done.add("end");
        }
    });

    @Test
    void trainsARunThatNamesThisProcess() {
        planned();

        assigned(1, "trainer-1", "i1", 1);

        assertThat(done).containsExactly("begin 1");
    }

    @Test
    void leavesARunAloneThatNamesAnEarlierLifeOfThisInstance() {
        planned();

        assigned(1, "trainer-1", "i0", 1);

        assertThat(done).isEmpty();
    }

    @Test
    void goesOnWhenOnlyThePoolChanges() {
        planned();
        assigned(1, "trainer-1", "i1", 1);

        assigned(2, "trainer-1", "i1", 1);

        assertThat(done).containsExactly("begin 1");
    }

    @Test
    void tellsARunWhichInstancesServeItAlsoWhenOnlyThePoolChanges() {
        planned();
        assigned(1, "trainer-1", "i1", 1);
        RolloutShare share = new RolloutShare("rollout-2", "i4", 1, List.of(3));

        follower.accept(
                new RunAssigned("run", 2, new TrainerShare("trainer-1", "i1", 1), List.of(share), "one was lost"));

        assertThat(done).containsExactly("begin 1");
        assertThat(follower.signals("run").orElseThrow().rollout()).containsExactly(share);
    }

    @Test
    void stopsWhenAnotherTrainerIsNamed() {
        planned();
        assigned(1, "trainer-1", "i1", 1);

        assigned(2, "trainer-2", "i9", 2);

        assertThat(done).containsExactly("begin 1", "supersede");
    }

    @Test
    void beginsAnewUnderANewEpoch() {
        planned();
        assigned(1, "trainer-1", "i1", 1);

        assigned(3, "trainer-1", "i1", 3);

        assertThat(done).containsExactly("begin 1", "supersede", "begin 3");
    }

    @Test
    void ignoresAnAssignmentThatComesLate() {
        planned();
        assigned(2, "trainer-1", "i1", 2);

        assigned(1, "trainer-2", "i9", 1);

        assertThat(done).containsExactly("begin 2");
    }

    @Test
    void endsWithTheRunAndDoesNotBeginAnEndedOne() {
        planned();
        assigned(1, "trainer-1", "i1", 1);
        follower.accept(new RunFailed("run", "no hope", null));

        assigned(2, "trainer-1", "i1", 2);

        assertThat(done).containsExactly("begin 1", "end");
    }

    @Test
    void servesAsTheNodeThatAnAssignmentMakesItAndLeavesWithTheRun() {
        planned();

        assignedWithNodes(1, 1, "trainer-7", "trainer-1");
        assignedWithNodes(2, 1, "trainer-7", "trainer-1");
        follower.accept(new RunFailed("run", "no hope", null));

        assertThat(done).containsExactly("serve 1 as node 2", "leave");
    }

    @Test
    void servesAnewUnderANewEpochAndAsAnotherNode() {
        planned();
        assignedWithNodes(1, 1, "trainer-7", "trainer-1");

        assignedWithNodes(2, 2, "trainer-1", "trainer-8");
        assignedWithNodes(3, 3, "trainer-8", "trainer-9");

        assertThat(done).containsExactly("serve 1 as node 2", "leave", "serve 2 as node 1", "leave");
    }

    @Test
    void tellsARunWhereItsModelLiesEvenIfThatCameFirst() {
        follower.accept(new CheckpointConverted("run", "/model", "/converted", 3, 12, 0.1, false));

        planned();

        assertThat(follower.signals("run").orElseThrow().converted()).isCompletedWithValue("/converted");
    }

    private void planned() {
        follower.accept(new RunPlanned("run", "sha", null, null));
    }

    private void assignedWithNodes(int epoch, int trainerEpoch, String... others) {
        List<TrainerNode> nodes = Arrays.stream(others)
                .map(other -> new TrainerNode(other, "i1", List.of(0)))
                .toList();
        TrainerShare share = new TrainerShare("trainer-0", "i5", trainerEpoch, List.of(0), "host-0", nodes);
        follower.accept(new RunAssigned("run", epoch, share, List.of(), "a test"));
    }

    private void assigned(int epoch, String instance, String incarnation, int trainerEpoch) {
        follower.accept(new RunAssigned(
                "run", epoch, new TrainerShare(instance, incarnation, trainerEpoch), List.of(), "a test"));
    }
}
