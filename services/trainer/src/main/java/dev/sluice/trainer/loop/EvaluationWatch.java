package dev.sluice.trainer.loop;

import dev.sluice.events.Event;
import dev.sluice.events.TrainingRequest.Evaluation;
import dev.sluice.trainer.dispatch.GroupFlow;
import dev.sluice.trainer.evaluation.Evaluations;
import dev.sluice.trainer.evaluation.OngoingEvaluation;
import dev.sluice.trainer.handover.Awaiting;
import dev.sluice.trainer.handover.Evaluating;
import dev.sluice.trainer.log.RunJournal;
import dev.sluice.trainer.run.RunSignals;
import dev.sluice.trainer.wait.RunWait;
import dev.sluice.trainer.wait.Waits;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Evaluation beside training, as the training thread sees it: it begins, its results are written down when they are in, and
 * weights are not replaced before an engine keeps those that are measured.
 */
final class EvaluationWatch implements Evaluating {
    /** Beyond the evaluation's own deadline, which ends it. */
    private static final Duration GRACE = Duration.ofMinutes(1);

    private static final Logger LOG = LoggerFactory.getLogger(EvaluationWatch.class);

    private final Evaluations evaluations;
    private final GroupFlow flow;
    private final RunJournal journal;
    private final Waits waits;
    private final RunSignals signals;
    private final Duration bound;
    private final Clock clock;
    private final Awaiting awaiting;
    private final @Nullable HeldOutLoss heldOut;
    private @Nullable OngoingEvaluation ongoing;

    /**
     * @param bound of one evaluation
     * @param heldOut measures by the worker, where no engine does
     */
    EvaluationWatch(
            Evaluations evaluations,
            Session session,
            Waits waits,
            RunSignals signals,
            Duration bound,
            @Nullable HeldOutLoss heldOut,
            Clock clock,
            Awaiting awaiting) {
        this.heldOut = heldOut;
        this.evaluations = evaluations;
        this.flow = session.flow();
        this.journal = session.journal();
        this.waits = waits;
        this.signals = signals;
        this.bound = bound;
        this.clock = clock;
        this.awaiting = awaiting;
    }

    /** Goes on with what a trainer before a recovery has begun and not told, or begins what is due after a step. */
    void resume(int step) throws InterruptedException {
        if (heldOut != null) {
            begin(step); // the worker holds this step and no other
            return;
        }
        var due = flow.look(state -> evaluations.newestDue(step, state));
        if (due.isPresent()) {
            begin(due.getAsInt());
        }
    }

    /** Begins what is due after a step, once what was begun before is over: it keeps a version on engines already. */
    void begin(int step) throws InterruptedException {
        List<Evaluation> due = flow.look(state -> evaluations.due(step, state));
        if (heldOut != null) {
            due.forEach(set -> journal.append(heldOut.measure(set, step, clock.instant()), null));
            return;
        }
        if (due.isEmpty()) {
            return;
        }
        finish();
        if (signals.stopping().isDone()) {
            return;
        }
        OngoingEvaluation begun = evaluations.begin(step, flow, bound, clock);
        ongoing = begun;
        LOG.info("evaluation begins of={} weightVersion={} until={}", begun.name(), begun.version(), begun.deadline());
    }

    /** Whether engines are to measure the weights of a step. */
    boolean needsEngines(int step) {
        return heldOut == null
                && !signals.stopping().isDone()
                && !flow.look(state -> evaluations.due(step, state)).isEmpty();
    }

    /** Whether there is something to write down; asked with the flow's lock held. */
    boolean hasNews() {
        return ongoing != null && ongoing.hasNews();
    }

    /** Writes down what has come in. */
    void publish() {
        if (ongoing == null) {
            return;
        }
        List<Event> news = ongoing.takeNews();
        if (!news.isEmpty()) {
            journal.append(news, null);
        }
        if (ongoing.isEmpty()) {
            ongoing = null;
        }
    }

    /** How it stands, for people who wait for something that it delays; empty where there is none. */
    String situation() {
        return ongoing == null ? "" : "; evaluation of " + ongoing.name() + " goes first: " + ongoing.situation();
    }

    @Override
    public void allowNewerWeights() throws InterruptedException {
        OngoingEvaluation current = ongoing;
        if (current != null) {
            await(
                    current,
                    "; newer weights wait until an engine keeps this version, or with one engine alone until all is measured",
                    current::allowsNewerWeights);
        }
    }

    @Override
    public void finish() throws InterruptedException {
        OngoingEvaluation current = ongoing;
        if (current != null) {
            await(current, "", current::isOver);
            publish();
        }
    }

    private void await(OngoingEvaluation current, String why, BooleanSupplier over) throws InterruptedException {
        Duration left = Duration.between(clock.instant(), current.deadline()).plus(GRACE);
        waits.await(
                RunWait.EVALUATION,
                "evaluation of " + current.name(),
                () -> current.situation() + why,
                left,
                time -> awaiting.await(() -> signals.stopping().isDone() || over.getAsBoolean(), time));
    }

    /** Ends it untold. */
    void abandon() {
        if (ongoing != null) {
            flow.endOtherWork("the run ends");
            ongoing = null;
        }
    }
}
