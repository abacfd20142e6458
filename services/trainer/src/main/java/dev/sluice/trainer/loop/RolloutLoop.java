package dev.sluice.trainer.loop;

import dev.sluice.domain.training.TrainingState;
import dev.sluice.events.Event;
import dev.sluice.events.TrainingEvent.RolloutFinished;
import dev.sluice.events.TrainingEvent.TrainerReady;
import dev.sluice.events.WeightEvent.WeightsPublished;
import dev.sluice.trainer.evaluation.Evaluations;
import dev.sluice.trainer.log.RunJournal;
import dev.sluice.trainer.run.RunSignals;
import dev.sluice.trainer.run.TrainedRun;
import dev.sluice.trainer.wait.RunWait;
import dev.sluice.trainer.wait.Waits;
import java.util.ArrayList;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A run without steps: every row of its sets is sampled and scored by the model as it came, and nothing is trained. */
final class RolloutLoop {
    private static final Logger LOG = LoggerFactory.getLogger(RolloutLoop.class);

    private final TrainedRun run;
    private final Parts parts;
    private final RunSignals signals;
    private final Session session;
    private final Evaluations evaluations;

    RolloutLoop(TrainedRun run, Parts parts, RunSignals signals, Session session, Evaluations evaluations) {
        this.run = run;
        this.parts = parts;
        this.signals = signals;
        this.session = session;
        this.evaluations = evaluations;
    }

    void run(WeightsPublished source) throws InterruptedException {
        RunJournal journal = session.journal();
        Waits waits = new Waits(run, journal, parts.config().waits().shownAfter(), parts.clock());
        List<Event> begin = new ArrayList<>();
        begin.add(new TrainerReady(run.runId(), run.epoch(), parts.instanceId(), 0, "samples only", null));
        if (!session.flow().look(TrainingState::anythingPublished)) {
            begin.add(source);
        }
        journal.append(begin, null);
        waits.await(
                RunWait.START,
                "the planner starts the run when an engine is ready",
                parts.config().waits().engines(),
                signals.started());
        session.flow().open();
        EvaluationWatch watch = new EvaluationWatch(
                evaluations,
                session,
                waits,
                signals,
                parts.config().waits().evaluation(),
                null,
                parts.clock(),
                session.flow()::await);
        watch.resume(0);
        watch.finish();
        if (signals.stopping().isDone()) {
            watch.abandon();
            return;
        }
        journal.append(new RolloutFinished(run.runId(), run.epoch(), evaluations.files()));
        LOG.info("run sampled runId={} files={}", run.runId(), evaluations.files());
    }
}
