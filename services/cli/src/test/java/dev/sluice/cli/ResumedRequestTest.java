package dev.sluice.cli;

import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sluice.cli.run.RunProjection;
import dev.sluice.events.Event;
import dev.sluice.events.RunEvent.RunFailed;
import dev.sluice.events.RunEvent.RunSucceeded;
import dev.sluice.events.TrainingEvent.CheckpointSaved;
import dev.sluice.events.TrainingEvent.StepCompleted;
import dev.sluice.kafka.EventRecord;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.junit.jupiter.api.Test;

class ResumedRequestTest {
    private static final String RUN = "earlier";
    private static final StepCompleted STEP_12 = new StepCompleted(RUN, 1, 12, 12, 12, 100, 0, List.of(), Map.of());
    private static final CheckpointSaved CUT =
            new CheckpointSaved(RUN, 1, 12, 12, 1, "/cut", "sha", true, 0, 0, List.of(), 0, 0, "");
    private static final RunSucceeded END = new RunSucceeded(RUN, 12, "/dist", "/export");

    @Test
    void aRunThatIsTrainedToItsEndNeedsMoreStepsThanItHas() {
        assertThatThrownBy(() -> ResumedRequest.requireSteps(run(STEP_12, CUT, END), 12))
                .isInstanceOf(CommandFailure.class)
                .hasMessageContaining("run earlier is trained up to step 12")
                .hasMessageContaining("--set training.steps=24");
        assertThatCode(() -> ResumedRequest.requireSteps(run(STEP_12, CUT, END), 13))
                .doesNotThrowAnyException();
    }

    @Test
    void aRunThatEndedWithoutACutIsNothingToGoOnFrom() {
        assertThatThrownBy(() -> ResumedRequest.requireSteps(run(new RunFailed(RUN, "no disk", null)), 20))
                .isInstanceOf(CommandFailure.class)
                .hasMessageContaining("run earlier has no cut to go on from");
    }

    @Test
    void aRunThatFailedGoesOnWithTheStepsItWasAskedFor() {
        assertThatCode(() -> ResumedRequest.requireSteps(run(STEP_12, CUT, new RunFailed(RUN, "no disk", null)), 12))
                .doesNotThrowAnyException();
    }

    private static RunProjection run(Event... events) {
        RunProjection run = new RunProjection(RUN);
        for (int i = 0; i < events.length; i++) {
            run.apply(new EventRecord<>(
                    events[i], UUID.randomUUID(), "test", Instant.EPOCH.plusSeconds(i), null, "topic", 0, i));
        }
        return run;
    }
}
