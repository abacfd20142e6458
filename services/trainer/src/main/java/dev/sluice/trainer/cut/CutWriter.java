package dev.sluice.trainer.cut;

import dev.sluice.domain.training.Cut;
import dev.sluice.domain.training.CutRetention;
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
import dev.sluice.workerapi.WorkerException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Saves cuts. The worker's files come first, complete and synced; the event that names them commits the cut. */
public final class CutWriter {
    private static final Duration ASK_DEADLINE = Duration.ofSeconds(10);
    private static final Logger LOG = LoggerFactory.getLogger(CutWriter.class);

    private final TrainedRun run;
    private final TrainerConfig.Worker config;
    private final String identity;
    private @Nullable Begun beside;

    /**
     * A cut whose files are not complete yet.
     *
     * @param cut what the run's state was when it began
     */
    private record Begun(Cut cut, long optimizerSteps, SaveRequest request, boolean last) {}

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

    /** Saves a cut of the completed step: its files, then the event; then older ones are retired. */
    public void save(Worker worker, GroupFlow flow, RunJournal journal, boolean last) {
        Begun begun = begin(flow, last, false);
        try {
            commit(begun, worker.client().save(begun.request(), config.callDeadline()), flow, journal);
        } catch (WorkerException e) {
            remove(begun);
            throw e;
        }
    }

    /** Has the worker take a copy of the completed step, which it writes while later ones are trained. */
    public void beginBeside(Worker worker, GroupFlow flow) {
        Begun begun = begin(flow, false, true);
        worker.client().beginSave(begun.request(), config.callDeadline());
        beside = begun;
    }

    /** Whether a cut is being written beside training. */
    public boolean isWriting() {
        return beside != null;
    }

    /**
     * Commits the cut that is being written beside training, once its files are complete.
     *
     * @return its step
     * @throws WorkerException if it could not be written; nothing of it is left then
     */
    public OptionalInt commitWritten(Worker worker, GroupFlow flow, RunJournal journal) {
        Begun begun = beside;
        if (begun == null) {
            return OptionalInt.empty();
        }
        try {
            Optional<FilesWritten> written = worker.client().saved(begun.request(), ASK_DEADLINE);
            if (written.isEmpty()) {
                return OptionalInt.empty();
            }
            beside = null;
            commit(begun, written.get(), flow, journal);
            return OptionalInt.of(begun.cut().step());
        } catch (WorkerException e) {
            beside = null;
            remove(begun);
            throw e;
        }
    }

    private Begun begin(GroupFlow flow, boolean last, boolean asynchronous) {
        Cut cut = flow.look(TrainingState::decideCut);
        Path directory = DirectoryRemoval.prepare(run.folders().cut(cut.step(), last));
        // Never an id of before: the worker would answer without writing.
        String operation = "save-e%d-%d-%s".formatted(run.epoch(), cut.step(), UUID.randomUUID());
        return new Begun(
                cut,
                flow.look(TrainingState::optimizerSteps),
                new SaveRequest(run.epoch(), operation, directory.toString(), asynchronous),
                last);
    }

    private void remove(Begun begun) {
        DirectoryRemoval.below(run.folders().root(), Path.of(begun.request().dir()));
    }

    private void commit(Begun begun, FilesWritten written, GroupFlow flow, RunJournal journal) {
        journal.append(event(begun, written));
        LOG.info(
                "cut saved runId={} step={} seconds={} groupsOffset={}",
                run.runId(),
                begun.cut().step(),
                "%.2f".formatted(written.seconds()),
                begun.cut().groupsOffset());
        retireOld(flow, journal);
    }

    private CheckpointSaved event(Begun begun, FilesWritten written) {
        Cut cut = begun.cut();
        return new CheckpointSaved(
                run.runId(),
                run.epoch(),
                cut.step(),
                cut.weightVersion(),
                begun.optimizerSteps(),
                written.dir(),
                written.manifestSha256(),
                begun.last(),
                cut.cursorNext(),
                cut.closedBelow(),
                cut.closedAbove(),
                cut.groupsOffset(),
                cut.trainingOffset(),
                identity);
    }

    private void retireOld(GroupFlow flow, RunJournal journal) {
        List<CheckpointSaved> old = flow.look(state -> state.decideRetired(CutRetention.of(run.request())));
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
