package dev.sluice.trainer.cut;

import dev.sluice.domain.training.Cut;
import dev.sluice.domain.training.TrainingState;
import dev.sluice.events.Event;
import dev.sluice.events.TrainingEvent.CheckpointRetired;
import dev.sluice.events.TrainingEvent.CheckpointSaved;
import dev.sluice.trainer.TrainerConfig;
import dev.sluice.trainer.dispatch.GroupFlow;
import dev.sluice.trainer.log.RunJournal;
import dev.sluice.trainer.run.DirectoryRemoval;
import dev.sluice.trainer.run.TrainedRun;
import dev.sluice.trainer.worker.Worker;
import dev.sluice.workerapi.FilesWritten;
import dev.sluice.workerapi.SaveRequest;
import java.nio.file.Path;
import java.util.List;
import java.util.UUID;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Saves cuts. The worker's files come first, complete and synced; the event that names them commits the cut. */
public final class CutWriter {
    private static final Logger LOG = LoggerFactory.getLogger(CutWriter.class);

    private final TrainedRun run;
    private final TrainerConfig.Worker config;
    private final String identity;

    /** @param identity hash of what the run's cursors mean */
    public CutWriter(TrainedRun run, TrainerConfig.Worker config, String identity) {
        this.run = run;
        this.config = config;
        this.identity = identity;
    }

    /** Whether a cut follows a step, besides the last one of the run. */
    public boolean isDue(int step, TrainingState state) {
        int every = run.request().checkpoints().everySteps();
        return every > 0
                && step > 0
                && step % every == 0
                && step < run.steps()
                && state.formedStep() == step
                && state.completedStep() == step
                && state.cuts().stream().noneMatch(cut -> cut.step() == step);
    }

    /**
     * Saves a cut of the completed step and retires the oldest ones.
     *
     * @param last no step follows
     */
    public void save(Worker worker, GroupFlow flow, RunJournal journal, boolean last) {
        int step = flow.look(TrainingState::completedStep);
        Path directory = DirectoryRemoval.prepare(run.folders().cut(step, last));
        // Never an id of before: the worker would answer without writing.
        String operation = "save-e%d-%d-%s".formatted(run.epoch(), step, UUID.randomUUID());
        FilesWritten written = worker.client()
                .save(new SaveRequest(run.epoch(), operation, directory.toString()), config.callDeadline());
        CheckpointSaved saved = flow.look(state -> event(state, written, last));
        journal.append(saved);
        LOG.info(
                "cut saved runId={} step={} seconds={} groupsOffset={}",
                run.runId(),
                step,
                "%.2f".formatted(written.seconds()),
                saved.groupsOffset());
        retireOld(flow, journal);
    }

    private CheckpointSaved event(TrainingState state, FilesWritten written, boolean last) {
        Cut cut = state.decideCut();
        return new CheckpointSaved(
                run.runId(),
                run.epoch(),
                cut.step(),
                cut.weightVersion(),
                state.optimizerSteps(),
                written.dir(),
                written.manifestSha256(),
                last,
                cut.cursorNext(),
                cut.closedBelow(),
                cut.closedAbove(),
                cut.groupsOffset(),
                cut.trainingOffset(),
                identity);
    }

    private void retireOld(GroupFlow flow, RunJournal journal) {
        List<CheckpointSaved> cuts = flow.look(TrainingState::cuts);
        int keep = Math.max(1, run.request().checkpoints().keepLast());
        List<CheckpointSaved> old =
                cuts.stream().limit(Math.max(0, cuts.size() - keep)).toList();
        if (old.isEmpty()) {
            return;
        }
        List<Event> events = old.stream()
                .map(cut -> (Event) new CheckpointRetired(run.runId(), run.epoch(), cut.step(), cut.directory()))
                .toList();
        journal.append(events, null);
        old.forEach(cut -> DirectoryRemoval.below(run.folders().root(), Path.of(cut.directory())));
    }
}
