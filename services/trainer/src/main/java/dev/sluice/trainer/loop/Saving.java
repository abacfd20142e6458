package dev.sluice.trainer.loop;

import dev.sluice.domain.training.TrainingState;
import dev.sluice.events.TrainingEvent.WaitChanged;
import dev.sluice.events.TrainingRequest.FullDisk;
import dev.sluice.trainer.cut.CutWriter;
import dev.sluice.trainer.dispatch.GroupFlow;
import dev.sluice.trainer.log.RunJournal;
import dev.sluice.trainer.run.TrainedRun;
import dev.sluice.trainer.wait.RunWait;
import dev.sluice.trainer.wait.Waits;
import dev.sluice.trainer.worker.Worker;
import dev.sluice.workerapi.WorkerErrorCode;
import dev.sluice.workerapi.WorkerException;
import java.time.Duration;
import java.util.OptionalInt;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The verb "save": cuts beside training or between two steps, and what a full disk makes of that. */
final class Saving {
    private static final Duration LOOK_AGAIN = Duration.ofSeconds(1);
    private static final Duration WRITTEN_PAUSE = Duration.ofMillis(20);
    private static final Logger LOG = LoggerFactory.getLogger(Saving.class);

    private final TrainedRun run;
    private final Parts parts;
    private final CutWriter cuts;
    private final Worker worker;
    private final BatchFiles batches;
    private final GroupFlow flow;
    private final RunJournal journal;
    private final Waits waits;
    private String lackingSpace = "";

    Saving(TrainedRun run, Parts parts, Session session, TrainingLoop.Verbs verbs, Waits waits) {
        this.run = run;
        this.parts = parts;
        this.cuts = verbs.cuts();
        this.worker = verbs.seated().worker();
        this.batches = verbs.batches();
        this.flow = session.flow();
        this.journal = session.journal();
        this.waits = waits;
    }

    /** Saves what is due after a step, and commits what was written beside it. */
    void after(int step) throws InterruptedException {
        long begin = System.nanoTime();
        boolean due = flow.look(state -> cuts.isDue(step, state));
        boolean asynchronous = run.request().checkpoints().asynchronous();
        if (!due) {
            trying(this::commitWritten);
            return;
        }
        finishWriting();
        if (asynchronous) {
            trying(() -> cuts.beginBeside(worker, flow));
        } else {
            trying(() -> saved(step, false));
        }
        parts.meters().took(run.runId(), "save", Duration.ofNanos(System.nanoTime() - begin));
    }

    /** Saves the cut that no step follows; a run is not over without it. */
    void last() throws InterruptedException {
        finishWriting();
        int step = flow.look(TrainingState::completedStep);
        untilThereIsSpace(() -> saved(step, true));
    }

    private void saved(int step, boolean last) {
        cuts.save(worker, flow, journal, last);
        batches.removeBefore(step);
        tellOfSpace();
    }

    private void commitWritten() {
        OptionalInt step = cuts.commitWritten(worker, flow, journal);
        if (step.isPresent()) {
            batches.removeBefore(step.getAsInt());
            tellOfSpace();
        }
    }

    /** One cut at a time is written beside training: a second copy of the model would wait in the worker's memory. */
    private void finishWriting() throws InterruptedException {
        if (cuts.isWriting()) {
            waits.await(
                    RunWait.CUT_BESIDE,
                    "",
                    () -> "the worker writes it slower than steps follow each other",
                    parts.config().worker().callDeadline(),
                    this::isWrittenWithin);
        }
    }

    private boolean isWrittenWithin(Duration time) throws InterruptedException {
        long end = System.nanoTime() + time.toNanos();
        trying(this::commitWritten);
        while (cuts.isWriting() && System.nanoTime() < end) {
            Thread.sleep(WRITTEN_PAUSE);
            trying(this::commitWritten);
        }
        return !cuts.isWriting();
    }

    /** A cut that finds no room: the run goes on without it or waits, as the request says. */
    private void trying(Runnable saving) throws InterruptedException {
        try {
            saving.run();
        } catch (WorkerException e) {
            if (e.code() != WorkerErrorCode.DISK_FULL) {
                throw e;
            }
            if (run.request().checkpoints().whenDiskIsFull() == FullDisk.WAIT) {
                int step = flow.look(TrainingState::completedStep);
                untilThereIsSpace(() -> saved(step, false));
                return;
            }
            LOG.error(
                    "no room for a cut; training goes on, older cuts stay runId={} error={}",
                    run.runId(),
                    e.getMessage());
            lackingSpace = String.valueOf(e.getMessage());
            journal.append(new WaitChanged(
                    run.runId(),
                    run.epoch(),
                    "disk space for a cut; training goes on, older cuts stay",
                    lackingSpace,
                    parts.clock().instant(),
                    null));
        }
    }

    private void untilThereIsSpace(Runnable saving) throws InterruptedException {
        waits.await(
                RunWait.DISK_SPACE,
                "",
                () -> lackingSpace,
                parts.config().waits().diskSpace(),
                time -> hasSpaceWithin(saving, time));
    }

    private boolean hasSpaceWithin(Runnable saving, Duration time) throws InterruptedException {
        long end = System.nanoTime() + time.toNanos();
        while (true) {
            try {
                saving.run();
                return true;
            } catch (WorkerException e) {
                if (e.code() != WorkerErrorCode.DISK_FULL) {
                    throw e;
                }
                lackingSpace = String.valueOf(e.getMessage());
            }
            if (System.nanoTime() >= end) {
                return false;
            }
            Thread.sleep(LOOK_AGAIN);
        }
    }

    private void tellOfSpace() {
        if (!lackingSpace.isEmpty()) {
            lackingSpace = "";
            journal.append(new WaitChanged(
                    run.runId(), run.epoch(), "", "", parts.clock().instant(), null));
        }
    }
}
