package dev.sluice.domain.retention;

import dev.sluice.events.RunEvent;
import dev.sluice.events.TrainingEvent;
import dev.sluice.events.TrainingEvent.CheckpointRetired;
import dev.sluice.events.TrainingEvent.CheckpointSaved;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.Map;
import java.util.function.ToIntFunction;

/**
 * How much of each partition of the log of results no run can need any more. A run needs the log from the offset of its
 * oldest kept cut, while it lives and for a while after it ended; one that has begun without a cut needs all of it.
 *
 * <p>A view that is behind only deletes less. For a run that it does not know yet, this takes two things: results and
 * training events of a run lie in partitions of the same number, so a run whose results precede another one's cut has its
 * own first training event before that cut; and nothing is deleted above the highest offset that a cut has named. Not for
 * several threads.
 */
public final class GroupLogRetention {
    private final Duration keepFinished;
    private final ToIntFunction<String> partitionOf;
    private final Map<String, RunNeed> runs = new HashMap<>();

    /**
     * @param keepFinished how long a run that has ended can still be resumed
     * @param partitionOf the partition that holds a run, the same one of results and of training events
     */
    public GroupLogRetention(Duration keepFinished, ToIntFunction<String> partitionOf) {
        if (keepFinished.isNegative()) {
            throw new IllegalArgumentException(
                    "finished runs cannot be kept for %s; give zero or more".formatted(keepFinished));
        }
        this.keepFinished = keepFinished;
        this.partitionOf = partitionOf;
    }

    /**
     * Takes an event of a run's life.
     *
     * @param at when it was written
     */
    public void apply(RunEvent event, Instant at) {
        switch (event) {
            case RunEvent.RunAssigned assigned -> run(event).begin();
            case RunEvent.RunSucceeded succeeded -> run(event).end(at);
            case RunEvent.RunFailed failed -> run(event).end(at);
            case RunEvent.RunCancelled cancelled -> run(event).end(at);
            // Nobody samples for a run before it is assigned, so what it will need lies above all that is there now.
            case RunEvent.RunPlanned planned -> {}
            case RunEvent.RunQueued queued -> {}
            case RunEvent.RunRejected rejected -> {}
            case RunEvent.RunStarted started -> {}
            case RunEvent.RunStopping stopping -> {}
        }
    }

    /** Takes an event of a run's training. */
    public void apply(TrainingEvent event) {
        RunNeed run = runs.computeIfAbsent(event.runId(), RunNeed::new);
        run.begin();
        switch (event) {
            case CheckpointSaved saved -> run.save(saved);
            case CheckpointRetired retired -> run.retire(retired);
            case TrainingEvent.TrainerReady ready -> {}
            case TrainingEvent.BatchFormed formed -> {}
            case TrainingEvent.StepCompleted completed -> {}
            case TrainingEvent.EvalCompleted completed -> {}
            case TrainingEvent.WaitChanged changed -> {}
            case TrainingEvent.WorkerWorked worked -> {}
            case TrainingEvent.WorkerFellBack fellBack -> {}
            case TrainingEvent.GuardTripped tripped -> {}
            case TrainingEvent.GuardReleased released -> {}
            case TrainingEvent.RolledBack taken -> {}
            case TrainingEvent.TrainerLost lost -> {}
            case TrainingEvent.RolloutFinished finished -> {}
            case TrainingEvent.CheckpointAdopted adopted -> {}
        }
    }

    private RunNeed run(RunEvent event) {
        return runs.computeIfAbsent(event.runId(), RunNeed::new);
    }

    /** By partition, the offset below which every record may be deleted; partitions without such records are absent. */
    public Map<Integer, Long> deletableBelow(Instant now) {
        Map<Integer, Long> offsets = new HashMap<>();
        for (RunNeed run : runs.values()) {
            offsets.merge(partitionOf.applyAsInt(run.runId()), run.highestOffset(), Math::max);
        }
        for (RunNeed run : runs.values()) {
            if (run.isNeeded(now, keepFinished)) {
                offsets.merge(partitionOf.applyAsInt(run.runId()), run.firstOffset(), Math::min);
            }
        }
        offsets.values().removeIf(offset -> offset <= 0);
        return Map.copyOf(offsets);
    }
}
