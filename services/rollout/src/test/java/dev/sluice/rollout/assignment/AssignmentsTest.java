package dev.sluice.rollout.assignment;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.core.JsonProcessingException;
import dev.sluice.events.Backend;
import dev.sluice.events.EventJson;
import dev.sluice.events.Plan;
import dev.sluice.events.Rollout.PauseMode;
import dev.sluice.events.RunEvent.EngineNode;
import dev.sluice.events.RunEvent.RolloutShare;
import dev.sluice.events.RunEvent.RunAssigned;
import dev.sluice.events.RunEvent.RunPlanned;
import dev.sluice.events.RunEvent.RunSucceeded;
import dev.sluice.events.RunEvent.TrainerShare;
import dev.sluice.events.TrainingRequest;
import dev.sluice.rollout.assignment.AssignmentChange.Release;
import dev.sluice.rollout.assignment.AssignmentChange.Serve;
import dev.sluice.rollout.assignment.AssignmentChange.Unchanged;
import dev.sluice.rollout.assignment.Share.EngineRecipe;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class AssignmentsTest {
    private final Assignments assignments = new Assignments("rollout-1", "now");

    @BeforeEach
    void aPlannedRun() throws JsonProcessingException {
        TrainingRequest request = EventJson.mapper()
                .readValue(
                        "{\"model\":{\"path\":\"/models/tiny\"},\"rollout\":{\"pauseMode\":\"retract\"},\"weights\":{\"loadDeadlineSeconds\":30}}",
                        TrainingRequest.class);
        Plan plan = new Plan(
                Backend.CPU,
                new Plan.ModelFigures("glm4_moe_lite", 1, 1, 1, 512),
                new Plan.TrainingPlan(
                        new Plan.TrainingLayout(1, 1, 1, 1, 1, 1), List.of(), new Plan.Memory(0, 1), true),
                new Plan.RolloutPlan(2, new Plan.EngineLayout(1, 1, 1, 0), List.of("--dp-size", "1"), 1024, 32),
                null,
                List.of(),
                List.of());
        assignments.apply(new RunPlanned("run", "sha", request, plan));
    }

    @Test
    void anAssignmentOfThisProcessIsServedWithThePlansRecipe() {
        // When
        AssignmentChange change = assignments.apply(assigned(1, share("rollout-1", "now", 2)));
        // Then
        EngineRecipe recipe = new EngineRecipe(
                "/models/tiny",
                List.of("--dp-size", "1"),
                32,
                Duration.ofSeconds(30),
                Map.of(),
                List.of(),
                PauseMode.RETRACT,
                false);
        assertThat(change).isEqualTo(new Serve(new Share("run", 1, 2, List.of(), recipe)));
    }

    @Test
    void anInstanceServesItsNodeOfAnEngineWhosePortNobodyKnowsYet() {
        // Given
        EngineNode place = new EngineNode(1, "rollout-0", 1, 2);
        // When
        AssignmentChange change =
                assignments.apply(assigned(1, new RolloutShare("rollout-1", "now", 1, List.of(0, 1), place)));
        // Then
        assertThat(change).isInstanceOfSatisfying(Serve.class, serve -> {
            assertThat(serve.share().node()).isEqualTo(new Share.Node(1, "rollout-0", 1, 2, null));
            assertThat(serve.share().gpus()).containsExactly(0, 1);
        });
    }

    @Test
    void anAssignmentOfAnEarlierProcessIsNotMeantForThisOne() {
        // When
        AssignmentChange change = assignments.apply(assigned(1, share("rollout-1", "before", 2)));
        // Then
        assertThat(change).isEqualTo(new Unchanged());
    }

    @Test
    void anOlderAssignmentThatComesLateChangesNothing() {
        // Given
        assignments.apply(assigned(2, share("rollout-1", "now", 1)));
        // When
        AssignmentChange change = assignments.apply(assigned(1, share("rollout-2", "now", 1)));
        // Then
        assertThat(change).isEqualTo(new Unchanged());
    }

    @Test
    void anAssignmentWithoutThisInstanceReleasesIt() {
        // Given
        assignments.apply(assigned(1, share("rollout-1", "now", 1)));
        // When
        AssignmentChange change = assignments.apply(assigned(2, share("rollout-2", "now", 1)));
        // Then
        assertThat(change).isEqualTo(new Release("run", "assignment 2 gives the run to other instances", true));
    }

    @Test
    void theEndOfTheRunReleasesItOnce() {
        // Given
        assignments.apply(assigned(1, share("rollout-1", "now", 1)));
        RunSucceeded end = new RunSucceeded("run", 1, "t", "h");
        // When
        AssignmentChange first = assignments.apply(end);
        AssignmentChange second = assignments.apply(end);
        // Then
        assertThat(first).isEqualTo(new Release("run", "the run succeeded", false));
        assertThat(second).isEqualTo(new Unchanged());
    }

    private static RunAssigned assigned(int epoch, RolloutShare share) {
        return new RunAssigned("run", epoch, new TrainerShare("trainer-1", "t", 1), List.of(share), "test");
    }

    private static RolloutShare share(String instanceId, String incarnation, int engines) {
        return new RolloutShare(instanceId, incarnation, engines, List.of());
    }
}
