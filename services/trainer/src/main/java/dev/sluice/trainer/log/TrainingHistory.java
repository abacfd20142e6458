package dev.sluice.trainer.log;

import dev.sluice.domain.training.Cut;
import dev.sluice.domain.training.LogEntry;
import dev.sluice.domain.training.MemoryRungs;
import dev.sluice.domain.training.Rollbacks;
import dev.sluice.domain.training.TrainingRules;
import dev.sluice.domain.training.TrainingState;
import dev.sluice.events.Event;
import dev.sluice.events.Topics;
import dev.sluice.events.TrainingEvent;
import dev.sluice.events.TrainingEvent.BatchFormed;
import dev.sluice.events.TrainingEvent.CheckpointAdopted;
import dev.sluice.events.TrainingEvent.CheckpointRetired;
import dev.sluice.events.TrainingEvent.CheckpointSaved;
import dev.sluice.events.TrainingEvent.GuardReleased;
import dev.sluice.events.TrainingEvent.GuardTripped;
import dev.sluice.events.TrainingEvent.RolledBack;
import dev.sluice.events.TrainingEvent.StepCompleted;
import dev.sluice.events.TrainingEvent.TrainerReady;
import dev.sluice.kafka.KafkaConnection;
import dev.sluice.kafka.StateReader;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
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

    /** Every cut that was saved, also those that are retired, oldest first. */
    public List<CheckpointSaved> savedCuts() {
        return entries.stream()
                .map(LogEntry::event)
                .filter(CheckpointSaved.class::isInstance)
                .map(CheckpointSaved.class::cast)
                .toList();
    }

    /** What the run has taken over from an earlier one's cut, where that is written down. */
    public Optional<CheckpointAdopted> adopted() {
        return entries.stream()
                .map(LogEntry::event)
                .filter(CheckpointAdopted.class::isInstance)
                .map(CheckpointAdopted.class::cast)
                .findFirst();
    }

    /** Whether a trainer of the run was ever ready. */
    public boolean isAnnounced() {
        return entries.stream().anyMatch(entry -> entry.event() instanceof TrainerReady);
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

    /** Hash of the weights after a step, as the worker that trained it said, or one that loaded it; 0 is the model. */
    public Optional<String> weightsSha256(int step) {
        return completed(step).map(StepCompleted::weightsSha256).or(() -> loadedSha256(step));
    }

    private Optional<String> loadedSha256(int step) {
        return entries.stream()
                .map(LogEntry::event)
                .filter(event -> event instanceof TrainerReady ready && ready.step() == step)
                .map(event -> ((TrainerReady) event).weightsSha256())
                .filter(Objects::nonNull)
                .findFirst();
    }

    /** What the log says of a step that was completed. */
    public Optional<StepCompleted> completed(int step) {
        return entries.stream()
                .map(LogEntry::event)
                .filter(StepCompleted.class::isInstance)
                .map(StepCompleted.class::cast)
                .filter(completed -> completed.step() == step)
                // After a roll back the step is trained a second time.
                .reduce((earlier, later) -> later);
    }

    /** Everything that was formed, in order, also what only drops groups. */
    public List<BatchFormed> batches() {
        return entries.stream()
                .map(LogEntry::event)
                .filter(BatchFormed.class::isInstance)
                .map(BatchFormed.class::cast)
                .toList();
    }

    /** Steps that were formed, in order. */
    public List<BatchFormed> formed() {
        return batches().stream().filter(formed -> !formed.groups().isEmpty()).toList();
    }

    /** Whether nothing is left to do: the last cut was saved, or all was sampled that a run without steps is to sample. */
    public boolean isOver() {
        return cuts().stream().anyMatch(CheckpointSaved::last)
                || entries.stream().map(LogEntry::event).anyMatch(TrainingEvent.RolloutFinished.class::isInstance);
    }

    /** The newest step that was formed, or 0. */
    public int formedStep() {
        return entries.stream()
                .map(LogEntry::event)
                .filter(BatchFormed.class::isInstance)
                .mapToInt(event -> ((BatchFormed) event).step())
                .max()
                .orElse(0);
    }

    /** Which rung of the memory ladder each step is trained on. */
    public MemoryRungs memoryRungs() {
        return new MemoryRungs(entries);
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
