package dev.sluice.trainer.log;

import dev.sluice.events.CheckpointEvent.CheckpointConverted;
import dev.sluice.events.RunEvent.RunPlanned;
import dev.sluice.events.Topics;
import dev.sluice.kafka.KafkaConnection;
import dev.sluice.kafka.StateReader;
import dev.sluice.trainer.run.TrainingRefusedException;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/**
 * A run as the planner and the converter have written it down, whether it goes on or has ended.
 *
 * @param torchDist where the converter has put the model; absent before
 */
public record LoggedRun(RunPlanned planned, @Nullable String torchDist) {
    private static final Duration DEADLINE = Duration.ofSeconds(60);

    /** @throws TrainingRefusedException if there is no such run, or it was rejected */
    public static LoggedRun read(KafkaConnection connection, String runId) {
        AtomicReference<RunPlanned> planned = new AtomicReference<>();
        AtomicReference<String> torchDist = new AtomicReference<>();
        try (StateReader reader = StateReader.startRun(
                connection, runId, Map.of(Topics.RUN_EVENTS, 0L, Topics.CHECKPOINTS, 0L), record -> {
                    if (record.event() instanceof RunPlanned event
                            && event.runId().equals(runId)) {
                        planned.set(event);
                    } else if (record.event() instanceof CheckpointConverted converted
                            && converted.runId().equals(runId)) {
                        torchDist.set(converted.torchDist());
                    }
                })) {
            reader.awaitCaughtUp(DEADLINE);
        }
        RunPlanned found = planned.get();
        if (found == null) {
            throw new TrainingRefusedException(
                    "the log knows no run %s that was planned; \"sluice status\" lists all".formatted(runId));
        }
        return new LoggedRun(found, torchDist.get());
    }
}
