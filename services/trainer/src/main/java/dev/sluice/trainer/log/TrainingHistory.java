package dev.sluice.trainer.log;

import dev.sluice.domain.training.Cut;
import dev.sluice.domain.training.LogEntry;
import dev.sluice.domain.training.Rollbacks;
import dev.sluice.domain.training.TrainingRules;
import dev.sluice.domain.training.TrainingState;
import dev.sluice.events.Event;
import dev.sluice.events.Topics;
import dev.sluice.events.TrainingEvent;
import dev.sluice.events.TrainingEvent.BatchFormed;
import dev.sluice.events.TrainingEvent.CheckpointRetired;
import dev.sluice.events.TrainingEvent.CheckpointSaved;
import dev.sluice.events.TrainingEvent.GuardReleased;
import dev.sluice.events.TrainingEvent.GuardTripped;
import dev.sluice.events.TrainingEvent.RolledBack;
import dev.sluice.events.TrainingEvent.StepCompleted;
import dev.sluice.kafka.KafkaConnection;
import dev.sluice.kafka.StateReader;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What the run's trainers have written so far, in order. Read it only after the log was opened for writing: then nobody
 * else can add to it.
 */
public final class TrainingHistory {
    private static final Duration DEADLINE = Duration.ofSeconds(60);

    private final List<LogEntry<Event>> entries;

    TrainingHistory(List<LogEntry<Event>> entries) {
        this.entries = Rollbacks.applied(List.copyOf(entries));
    }

    /** Reads the run's training and weight events to their ends. */
    public static TrainingHistory read(KafkaConnection connection, String runId) {
        List<LogEntry<Event>> entries = new ArrayList<>();
        try (StateReader reader =
                StateReader.startRun(connection, runId, Map.of(Topics.TRAINING, 0L, Topics.WEIGHTS, 0L), record -> {
                    if (record.event().runId().equals(runId)) {
                        synchronized (entries) {
                            entries.add(LogRecords.entry(record));
                        }
                    }
                })) {
            reader.awaitCaughtUp(DEADLINE);
        }
        synchronized (entries) {
            return new TrainingHistory(entries);
        }
    }

    /** The highest epoch that wrote, or 0. */
    public int epoch() {
        return entries.stream()
                .map(LogEntry::event)
                .filter(TrainingEvent.class::isInstance)
                .mapToInt(event -> ((TrainingEvent) event).epoch())
                .max()
                .orElse(0);
    }

    /** Cuts that were not retired, newest first. */
    public List<CheckpointSaved> cuts() {
        List<CheckpointSaved> cuts = new ArrayList<>();
        for (LogEntry<Event> entry : entries) {
            if (entry.event() instanceof CheckpointSaved saved) {
                cuts.addFirst(saved);
            } else if (entry.event() instanceof CheckpointRetired retired) {
                cuts.removeIf(cut -> cut.directory().equals(retired.directory()));
            }
        }
        return cuts;
    }

    /** Hash of the content of a step's batch, where the step was formed. */
    public Optional<String> batchSha256(int step) {
        return entries.stream()
                .map(LogEntry::event)
                .filter(BatchFormed.class::isInstance)
                .map(BatchFormed.class::cast)
                .filter(formed -> formed.step() == step && !formed.groups().isEmpty())
                .map(BatchFormed::sha256)
                .findFirst();
    }

    /** Whether nothing is left to do: the last cut was saved, or all was sampled that a run without steps is to sample. */
    public boolean isOver() {
        return cuts().stream().anyMatch(CheckpointSaved::last)
                || entries.stream().map(LogEntry::event).anyMatch(TrainingEvent.RolloutFinished.class::isInstance);
    }

    /** Everything about guards that stands in the log, in its order, with the steps that they look at. */
    public List<LogEntry<Event>> guardEntries() {
        return entries.stream()
                .filter(entry -> switch (entry.event()) {
                    case StepCompleted completed -> true;
                    case GuardTripped tripped -> true;
                    case GuardReleased released -> true;
                    case RolledBack taken -> true;
                    default -> false;
                })
                .toList();
    }

    /** The state as of these events, from a cut. Results of groups are still missing. */
    public TrainingState stateFrom(TrainingRules rules, Cut cut) {
        TrainingState state = TrainingState.from(rules, cut);
        for (LogEntry<Event> entry : entries) {
            // What batches before the cut's offset said is in the cut; all other records say the same at any time.
            if (!(entry.event() instanceof BatchFormed) || entry.offset() >= cut.trainingOffset()) {
                state.apply(entry);
            }
        }
        return state;
    }
}
