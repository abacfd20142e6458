package dev.sluice.cli.run;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.events.CheckpointEvent.ConversionProgressed;
import dev.sluice.events.CheckpointEvent.Direction;
import dev.sluice.events.EngineEvent.EngineReady;
import dev.sluice.events.EngineEvent.EngineStarted;
import dev.sluice.events.EngineEvent.EngineStopped;
import dev.sluice.events.Problem;
import dev.sluice.events.RunEvent.RunAssigned;
import dev.sluice.events.RunEvent.RunFailed;
import dev.sluice.events.RunEvent.RunQueued;
import dev.sluice.events.RunEvent.RunRejected;
import dev.sluice.events.RunEvent.RunStarted;
import dev.sluice.events.RunEvent.TrainerShare;
import dev.sluice.events.TrainingEvent.CheckpointSaved;
import dev.sluice.events.TrainingEvent.GuardTripped;
import dev.sluice.events.TrainingEvent.RolledBack;
import dev.sluice.events.TrainingEvent.WaitChanged;
import dev.sluice.events.TrainingRequest.GuardAction;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.Test;

class RunProjectionTest {
    private final RunEvents events = new RunEvents();

    @Test
    void aRejectionCarriesEveryProblem() {
        Problem problem = Problem.error("steps", "training.steps", "0 steps train nothing", "give 1 or more");
        events.publish(new RunRejected(RunEvents.RUN, List.of(problem)));

        assertThat(events.run().phase()).isEqualTo(RunPhase.REJECTED);
        assertThat(events.run().problems()).containsExactly(problem);
        assertThat(events.run().answers()).isEqualTo(1);
    }

    @Test
    void aChangedPoolLeavesARunThatTrainsWhereItIs() {
        events.started().publish(assigned(2));

        assertThat(events.run().phase()).isEqualTo(RunPhase.TRAINING);
    }

    @Test
    void aRunThatWasQueuedWhileItTrainedTrainsOnWithItsNextAssignment() {
        events.started().step(1, 0.5).publish(new RunQueued(RunEvents.RUN, "trainer-1 sent no heartbeat"));
        assertThat(line()).isEqualTo("queued: trainer-1 sent no heartbeat");

        events.publish(assigned(2));

        assertThat(line()).startsWith("step 1/0");
    }

    @Test
    void enginesThatEndBeforeTheyAreReadyAreShownWithTheirError() {
        events.converted().publish(assigned(1)).publish(engineStarted("e-1")).publish(engineStopped("e-1"));

        assertThat(line())
                .isEqualTo("starting engines and the trainer; 1 engine ended before it was ready; the last, e-1:"
                        + " the process ended by itself: AssertionError: dp 3");

        events.publish(engineStarted("e-2"))
                .publish(new EngineReady(RunEvents.RUN, 1, "e-2", "rollout-1", "a", 0, 8, 2));

        assertThat(line()).isEqualTo("starting engines and the trainer");
    }

    @Test
    void theProgressLineFollowsTheRunFromTheRequestToItsEnd() {
        assertThat(line()).isEqualTo("waiting for the planner's answer");

        events.publish(new RunQueued(RunEvents.RUN, "0 of 1 trainers are ready", 2));
        assertThat(line()).isEqualTo("queued, place 2: 0 of 1 trainers are ready");

        events.publish(assigned(1)).publish(new ConversionProgressed(RunEvents.RUN, Direction.TO_TORCH_DIST, 40, 100));
        assertThat(line()).isEqualTo("converting the checkpoint, 40 %");

        events.converted();
        assertThat(line()).isEqualTo("starting engines and the trainer");

        events.started();
        assertThat(line()).isEqualTo("training begins");

        events.step(1, 0.4375);
        assertThat(line()).isEqualTo("step 1/0  reward 0.438  loss 0.5000  lag 0.75");

        events.succeeded(1);
        assertThat(line()).isEqualTo("succeeded");
    }

    @Test
    void stepsThatAGuardTookBackAreTold() {
        events.started().step(3, 0.5).publish(new RolledBack(RunEvents.RUN, 1, 3, 2, 3, "train/grad_norm was 90"));

        assertThat(line()).endsWith("rolled back 1 time");
    }

    @Test
    void aWaitIsShownUntilItEnds() {
        events.started()
                .step(1, 0.5)
                .publish(new WaitChanged(RunEvents.RUN, 1, "rollout-1", "its engine restarts", Instant.EPOCH, null));
        assertThat(line()).endsWith("waiting for rollout-1");

        events.publish(new WaitChanged(RunEvents.RUN, 1, "", "", Instant.EPOCH, null));
        assertThat(line()).doesNotContain("waiting");
    }

    @Test
    void aRunThatWentOnFromAnotherCountsThatOnesStepsToo() {
        events.started().step(13, 0.5).step(14, 0.5);

        assertThat(line()).startsWith("step 14/0");
        assertThat(events.run().ledger().stepsTrained()).isEqualTo(2);
    }

    @Test
    void aRunThatAGuardHasPausedSaysHowItGoesOn() {
        events.started()
                .step(1, 0.5)
                .publish(new GuardTripped(RunEvents.RUN, 1, 1, "train/grad_norm", 3, 2, 1, GuardAction.PAUSE, null));

        assertThat(line()).endsWith("see \"sluice status run-1\", then \"sluice continue run-1\"");
    }

    @Test
    void whatAConversionWaitsForIsShownUntilBytesAreCopied() {
        events.publish(assigned(1)).publish(waiting(Direction.TO_TORCH_DIST));
        assertThat(line())
                .isEqualTo("converting the checkpoint, waiting for converter-2 (process 4711 on node-3), for 12 s");
        assertThat(events.run().waitsFor()).isEqualTo("converter-2 (process 4711 on node-3), for 12 s");

        events.publish(new ConversionProgressed(RunEvents.RUN, Direction.TO_TORCH_DIST, 40, 100));
        assertThat(line()).isEqualTo("converting the checkpoint, 40 %");
        assertThat(events.run().waitsFor()).isNull();
    }

    @Test
    void whatAnExportWaitsForIsShown() {
        events.started()
                .publish(new CheckpointSaved(RunEvents.RUN, 1, 1, 1, 1, "/cut", "sha", true, 0, 0, List.of(), 0, 0, ""))
                .publish(waiting(Direction.TO_HUGGING_FACE));

        assertThat(line())
                .isEqualTo(
                        "exporting the trained checkpoint, waiting for converter-2 (process 4711 on node-3), for 12 s");
    }

    @Test
    void aRunThatIsOverWaitsForNothing() {
        events.publish(waiting(Direction.TO_TORCH_DIST)).publish(new RunFailed(RunEvents.RUN, "no disk", null));

        assertThat(events.run().waitsFor()).isNull();
    }

    @Test
    void aFailedRunSaysWhy() {
        events.publish(new RunStarted(RunEvents.RUN, 1))
                .publish(new RunFailed(RunEvents.RUN, "no disk; free some", null));

        assertThat(line()).isEqualTo("failed: no disk; free some");
        assertThat(events.run().phase().isOver()).isTrue();
    }

    private String line() {
        return ProgressLine.of(events.run());
    }

    private static ConversionProgressed waiting(Direction direction) {
        return new ConversionProgressed(
                RunEvents.RUN, direction, 0, 100, "converter-2 (process 4711 on node-3), for 12 s");
    }

    private static EngineStarted engineStarted(String engineId) {
        return new EngineStarted(RunEvents.RUN, 1, engineId, "rollout-1", 30000, 7);
    }

    private static EngineStopped engineStopped(String engineId) {
        List<String> lines = List.of("Loading weights", "AssertionError: dp 3", "kill_process_tree called");
        return new EngineStopped(RunEvents.RUN, 1, engineId, "rollout-1", "the process ended by itself", 137, lines);
    }

    private static RunAssigned assigned(int epoch) {
        return new RunAssigned(RunEvents.RUN, epoch, new TrainerShare("trainer-1", "a", 1), List.of(), "first");
    }
}
