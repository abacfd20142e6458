package dev.sluice.cli.run;

import dev.sluice.events.CheckpointEvent.CheckpointConverted;
import dev.sluice.events.CheckpointEvent.CheckpointExported;
import dev.sluice.events.Event;
import dev.sluice.events.RunEvent.RunStarted;
import dev.sluice.events.RunEvent.RunSucceeded;
import dev.sluice.events.TrainingEvent.EvalCompleted;
import dev.sluice.events.TrainingEvent.StepCompleted;
import dev.sluice.kafka.EventRecord;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.UUID;

/** Feeds a projection with events, each one second after the one before. */
final class RunEvents {
    static final String RUN = "run-1";
    private static final Instant NOON = Instant.parse("2026-01-01T12:00:00Z");

    private final RunProjection run = new RunProjection(RUN);
    private int offset;

    RunProjection run() {
        return run;
    }

    RunEvents publish(Event event) {
        run.apply(new EventRecord<>(
                event, UUID.randomUUID(), "test", NOON.plusSeconds(offset), null, "topic", 0, offset++));
        return this;
    }

    RunEvents step(int step, double reward) {
        return publish(new StepCompleted(
                RUN,
                1,
                step,
                step,
                step,
                100,
                0,
                List.of(1, 3),
                Map.of("rollout/raw_reward", reward, "train/loss", 0.5)));
    }

    RunEvents evaluation(int step, double reward) {
        return publish(new EvalCompleted(RUN, 1, "held-out", step, step, 10, 10, reward, 100));
    }

    RunEvents started() {
        return publish(new RunStarted(RUN, 1));
    }

    RunEvents converted() {
        return publish(new CheckpointConverted(RUN, "/model", "/dist", 3, 100, 0.25, false));
    }

    RunEvents succeeded(int steps) {
        return publish(new CheckpointExported(RUN, steps, "/dist", "/export", List.of(), 0.75))
                .publish(new RunSucceeded(RUN, steps, "/dist", "/export"));
    }
}
