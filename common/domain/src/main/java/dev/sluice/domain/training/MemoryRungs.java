package dev.sluice.domain.training;

import dev.sluice.events.Event;
import dev.sluice.events.TrainingEvent.CheckpointSaved;
import dev.sluice.events.TrainingEvent.StepCompleted;
import dev.sluice.events.TrainingEvent.WorkerFellBack;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * Which rung of the {@link MemoryLadder} each step of a run is trained on: other micro-batches give other last bits, so whoever
 * trains a step again takes the rung that it was completed on. Only a worker that ran out of memory while it trained a completed
 * step again moves that one and those after it.
 */
public final class MemoryRungs {
    private final Map<Integer, LogEntry<StepCompleted>> completed = new TreeMap<>();
    private final List<FallBack> fallBacks = new ArrayList<>();
    private int newest;

    /**
     * A worker that ran out of memory.
     *
     * @param cutStep steps in the cut that the next worker began with
     */
    private record FallBack(WorkerFellBack event, int cutStep, long offset) {
        boolean moves(int step, LogEntry<StepCompleted> trained) {
            return trained.offset() < offset && step > cutStep && step >= event.step();
        }
    }

    /** @param entries of the run's training log, in its order, without what was taken back */
    public MemoryRungs(List<LogEntry<Event>> entries) {
        int cutStep = 0;
        for (LogEntry<Event> entry : entries) {
            switch (entry.event()) {
                case StepCompleted step ->
                    completed.put(step.step(), new LogEntry<>(step, entry.id(), entry.partition(), entry.offset()));
                case CheckpointSaved saved -> cutStep = saved.step();
                case WorkerFellBack fellBack -> {
                    fallBacks.add(new FallBack(fellBack, cutStep, entry.offset()));
                    newest = fellBack.rung();
                }
                default -> {}
            }
        }
    }

    /** The rung that the worker is on, 0 for the plan itself. */
    public int newest() {
        return newest;
    }

    /** The rung that a step is trained on, for the first time or again. */
    public int of(int step) {
        LogEntry<StepCompleted> trained = completed.get(step);
        if (trained == null) {
            return newest;
        }
        return fallBacks.stream()
                .filter(fallBack -> fallBack.moves(step, trained))
                .mapToInt(fallBack -> fallBack.event().rung())
                .reduce(trained.event().memoryRung(), Math::max);
    }

    /** Whether a completed step is trained again on another rung than the one it was completed on: to other last bits. */
    public boolean isMoved(int step) {
        LogEntry<StepCompleted> trained = completed.get(step);
        return trained != null && trained.event().memoryRung() != of(step);
    }

    /**
     * The rung to take when a worker ran out of memory; above the ladder's size where nothing is left.
     *
     * @param step that it trained
     */
    public int after(int step) {
        return of(step) < newest ? newest : newest + 1;
    }
}
