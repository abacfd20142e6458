package dev.sluice.trainer.run;

import dev.sluice.domain.training.BatchRules;
import dev.sluice.domain.training.MemoryLadder;
import dev.sluice.domain.training.TrainingRules;
import dev.sluice.events.Plan;
import dev.sluice.events.RunKind;
import dev.sluice.events.TrainingRequest;
import java.nio.file.Path;

/**
 * A run as its trainer was given it.
 *
 * @param epoch under which this process trains the run
 * @param folders of this epoch
 * @param place of the worker's processes
 */
public record TrainedRun(
        String runId, int epoch, TrainingRequest request, Plan plan, RunFolders folders, WorkerPlace place) {

    /** On this host, wherever there is room. */
    public TrainedRun(String runId, int epoch, TrainingRequest request, Plan plan, RunFolders folders) {
        this(runId, epoch, request, plan, folders, WorkerPlace.ANYWHERE);
    }

    public static TrainedRun of(String runId, int epoch, TrainingRequest request, Plan plan, Path runDirectory) {
        return new TrainedRun(runId, epoch, request, plan, new RunFolders(runDirectory, epoch));
    }

    /** The same where the assignment says. */
    public TrainedRun at(WorkerPlace assigned) {
        return new TrainedRun(runId, epoch, request, plan, folders, assigned);
    }

    public TrainingRules rules() {
        return TrainingRules.of(runId, request);
    }

    public BatchRules batchRules() {
        return BatchRules.of(request, plan);
    }

    /** What the worker gets where the plan's micro-batches were too large for its memory. */
    public MemoryLadder memoryLadder() {
        return MemoryLadder.of(request, plan);
    }

    public RunKind kind() {
        return RunKind.of(request);
    }

    public int steps() {
        return request.training().steps();
    }
}
