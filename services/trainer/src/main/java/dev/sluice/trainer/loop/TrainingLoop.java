package dev.sluice.trainer.loop;

import dev.sluice.domain.training.BatchDraft;
import dev.sluice.domain.training.BatchRows;
import dev.sluice.domain.training.LogEntry;
import dev.sluice.domain.training.MemoryRung;
import dev.sluice.domain.training.MemoryRungs;
import dev.sluice.domain.training.TrainingState;
import dev.sluice.events.Event;
import dev.sluice.events.GroupEvent.GroupSampled;
import dev.sluice.events.RunMetric;
import dev.sluice.events.TrainingEvent.BatchFormed;
import dev.sluice.events.TrainingEvent.StepCompleted;
import dev.sluice.events.TrainingEvent.TrainerReady;
import dev.sluice.events.TrainingEvent.WorkerWorked;
import dev.sluice.trainer.cut.CutWriter;
import dev.sluice.trainer.dispatch.GroupFlow;
import dev.sluice.trainer.evaluation.Evaluations;
import dev.sluice.trainer.handover.HandOver;
import dev.sluice.trainer.log.RunJournal;
import dev.sluice.trainer.log.TrainingHistory;
import dev.sluice.trainer.metrics.StepFigures;
import dev.sluice.trainer.prompts.LessonGroups;
import dev.sluice.trainer.run.RunSignals;
import dev.sluice.trainer.run.TrainedRun;
import dev.sluice.trainer.wait.RunWait;
import dev.sluice.trainer.wait.Waits;
import dev.sluice.trainer.weights.WeightPublisher;
import dev.sluice.workerapi.Batch;
import dev.sluice.workerapi.TrainResult;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Trains a run from where its logs say to its end. One thread, five verbs: generate, train, update weights, save, evaluate;
 * the last is only begun here and goes on beside the others. With a policy lag, groups of later steps are sampled while this thread trains: {@link GroupFlow} asks for them.
 */
final class TrainingLoop {
    private static final Logger LOG = LoggerFactory.getLogger(TrainingLoop.class);

    private final TrainedRun run;
    private final Parts parts;
    private final RunSignals signals;
    private final Verbs verbs;
    private final WorkerSeat seat;
    private final WorkerSeat.Seated seated;
    private final StepTrainer trainer;
    private final Teacher teacher;
    private final TrainingHistory history;
    private final GroupFlow flow;
    private final RunJournal journal;
    private final Waits waits;
    private final Saving saving;
    private final EvaluationWatch evaluation;
    private final GuardPost guards;
    private final GroupsOfStep groups;
    private final MemoryRungs rungs;
    private final HandOver handOver;
    private final StepRecord records;
    private int workerStep;
    private int stepAtWork;
    private boolean reproduced = true;
    private long stepBegan = System.nanoTime();
    private Map<String, Double> modelFigures = Map.of();

    /** What the loop's verbs are done with. */
    record Verbs(
            WorkerSeat seat,
            WorkerSeat.Seated seated,
            BatchFiles batches,
            WeightPublisher weights,
            CutWriter cuts,
            Evaluations evaluations,
            GroupSource groups,
            HandOver handOver) {
        @Nullable
        HeldOutLoss heldOut(TrainedRun run) {
            LessonGroups lessons = groups.lessons();
            return lessons == null ? null : new HeldOutLoss(run, evaluations, lessons, batches, seated.worker());
        }
    }

    TrainingLoop(TrainedRun run, Parts parts, RunSignals signals, Session session, Verbs verbs) {
        this.run = run;
        this.parts = parts;
        this.signals = signals;
        this.verbs = verbs;
        this.seat = verbs.seat();
        this.seated = verbs.seated();
        this.trainer = new StepTrainer(
                run, verbs.batches(), seated.worker(), parts.config().worker().callDeadline());
        this.handOver = verbs.handOver();
        this.history = session.history();
        this.flow = session.flow();
        this.journal = session.journal();
        this.waits = new Waits(run, journal, parts.config().waits().shownAfter(), parts.clock()).of(seated.worker());
        this.teacher = new Teacher(run, parts.config(), verbs.batches(), waits);
        this.saving = new Saving(run, parts, session, verbs, waits);
        this.evaluation = new EvaluationWatch(
                verbs.evaluations(),
                session,
                waits,
                signals,
                parts.config().waits().evaluation(),
                verbs.heldOut(run),
                parts.clock(),
                handOver);
        this.guards = new GuardPost(run, session, signals, waits, parts.clock());
        this.groups = new GroupsOfStep(run, parts, signals, flow, waits, evaluation, handOver, this::close);
        this.rungs = history.memoryRungs();
        this.records = new StepRecord(run, flow, rungs);
        this.workerStep = seated.step();
    }

    void run() throws InterruptedException {
        trainWhatTheLogHasFormed();
        announce();
        handOver.afterPublication();
        guards.act();
        int step = flow.look(TrainingState::completedStep);
        saving.after(step);
        handOver.afterTraining();
        awaitStart();
        evaluation.resume(step); // before groups are asked for: they wait behind its rows
        verbs.groups().open();
        while (step < run.steps() && !signals.stopping().isDone()) {
            Optional<FormedStep> formed = generate(step + 1);
            if (formed.isEmpty()) {
                break;
            }
            step++;
            handOver.beforeTraining(evaluation);
            TrainResult result = train(formed.get());
            keepEvaluatedWeights(step);
            updateWeights(formed.get(), result);
            handOver.afterPublication();
            guards.act();
            saving.after(step);
            if (needsEngines(step)) {
                handOver.afterTraining();
            }
            evaluation.begin(step);
        }
        finish();
    }

    /** Where nothing is left to sample, the last cut comes while training still has the GPUs that it may share. */
    private boolean needsEngines(int step) {
        boolean over = step == run.steps() || signals.stopping().isDone();
        return !over || flow.inFlight() > 0 || evaluation.needsEngines(step);
    }

    private void awaitStart() throws InterruptedException {
        signals.started().thenRun(flow::wake);
        waits.await(
                RunWait.START,
                "",
                () -> "the planner starts the run when this trainer and an engine are ready",
                parts.config().waits().engines(),
                time -> handOver.await(signals.started()::isDone, time));
    }

    /** The step that the worker was last asked to train, 0 before the first. */
    int stepAtWork() {
        return stepAtWork;
    }

    /** A new worker holds the cut: the batches after it are trained again from the log, without generating a token. */
    private void trainWhatTheLogHasFormed() throws InterruptedException {
        int completed = flow.look(TrainingState::completedStep);
        if (workerStep > completed) {
            // Its predecessor died between training and telling.
            FormedStep formed = fromLog(workerStep);
            updateWeights(formed, seat.resultOf(seated.worker(), workerStep));
        }
        for (LogEntry<BatchFormed> entry : flow.look(state -> state.formedAfter(workerStep))) {
            FormedStep formed = fromLog(entry.event().step());
            TrainResult result = train(formed);
            if (formed.event().step() > completed) {
                updateWeights(formed, result);
            } else {
                reproduced &= isReproduced(formed.event().step(), result);
                LOG.info(
                        "trained again from the log runId={} step={}",
                        run.runId(),
                        formed.event().step());
                flow.look(this::forget);
            }
        }
    }

    /** Whether the weights are those of before, which engines may hold: by their hash, else by the worker's word. */
    private boolean isReproduced(int step, TrainResult result) {
        Optional<String> before = history.weightsSha256(step);
        boolean same = before.map(hash -> hash.equals(result.weightsSha256()))
                .orElse(seated.deterministic() && !rungs.isMoved(step));
        if (!same && seated.deterministic()) {
            LOG.warn(
                    "trained again to other weights, which are published anew runId={} step={} before={} now={}",
                    run.runId(),
                    step,
                    before.orElse("unknown"),
                    result.weightsSha256());
        }
        return same;
    }

    private void announce() {
        List<Event> events = new ArrayList<>();
        events.add(new TrainerReady(
                run.runId(), run.epoch(), parts.instanceId(), workerStep, seated.how(), seated.loadedSha256()));
        boolean first = !flow.look(TrainingState::anythingPublished);
        if (first) {
            events.add(verbs.weights().source());
        }
        // Engines begin with the model; a run that goes on from an earlier one's cut has other weights.
        boolean others = first ? workerStep > 0 : flow.look(state -> state.isNewestWeightsTakenBack(workerStep));
        boolean lacksFiles = !verbs.weights().areDirect() && flow.look(TrainingLoop::isNewestWithoutFiles);
        if (verbs.weights().publishes() && (!reproduced || others || lacksFiles)) {
            int version = flow.look(TrainingState::version);
            events.add(verbs.weights().publish(seated.worker(), version + 1, workerStep, version));
        }
        events.add(worked());
        journal.append(events, null);
        LOG.info("trainer ready runId={} epoch={} step={} how={}", run.runId(), run.epoch(), workerStep, seated.how());
    }

    /** It was to go from memory to memory, which this trainer has given up. */
    private static boolean isNewestWithoutFiles(TrainingState state) {
        return state.newestWeights()
                .filter(newest -> newest.directory() == null)
                .isPresent();
    }

    /** Waits for a step's groups and writes down which they are; nothing when the run is to end early. */
    private Optional<FormedStep> generate(int step) throws InterruptedException {
        long begin = System.nanoTime();
        verbs.groups().provide();
        Optional<BatchDraft> draft = groups.await(step, verbs.weights().isDue(step));
        if (draft.isEmpty()) {
            return Optional.empty();
        }
        List<GroupSampled> results =
                flow.look(state -> state.resultsOf(draft.get().groups()));
        BatchRows rows = BatchRows.of(results, run.batchRules());
        BatchFormed formed = event(draft.get(), rows.sha256());
        UUID id = journal.append(formed).id();
        took("generate", begin);
        return Optional.of(new FormedStep(formed, id, results, rows));
    }

    private void close(BatchDraft filtered) {
        journal.append(event(filtered, ""));
        flow.look(this::forget);
    }

    private BatchFormed event(BatchDraft draft, String sha256) {
        return new BatchFormed(
                run.runId(),
                run.epoch(),
                draft.step(),
                draft.groups(),
                draft.dropped(),
                draft.cursorNext(),
                draft.weightVersion(),
                sha256);
    }

    private FormedStep fromLog(int step) {
        LogEntry<BatchFormed> entry = flow.look(state -> state.formedAt(step)).orElseThrow();
        verbs.groups().recall(entry.event().groups());
        List<GroupSampled> results =
                flow.look(state -> state.resultsOf(entry.event().groups()));
        return FormedStep.fromLog(entry, results, run.batchRules());
    }

    private TrainResult train(FormedStep formed) throws InterruptedException {
        long begin = System.nanoTime();
        int step = formed.event().step();
        stepAtWork = step;
        BatchRows rows = rowsForWorker(formed);
        Map<Batch.Column, float[]> taught = teacher.column(step, rows);
        StepTrainer.Trained trained = waits.call(
                RunWait.TRAINING,
                "the training of step " + step,
                parts.config().worker().callDeadline(),
                () -> trainer.train(step, rows, taught));
        modelFigures = trained.modelFigures();
        workerStep = step;
        took("train", begin);
        return trained.result();
    }

    /** The batch that the log names, in smaller portions where the worker's memory asks for it. */
    private BatchRows rowsForWorker(FormedStep formed) {
        MemoryRung rung = run.memoryLadder().rung(rungs.of(formed.event().step()));
        return rung.number() == 0
                ? formed.rows()
                : BatchRows.of(
                        formed.results(),
                        rung.rules(
                                run.batchRules(), run.plan().training().layout().cp()));
    }

    /** The step, its weights and its figures stand in the log together or not at all. */
    private void updateWeights(FormedStep formed, TrainResult result) throws InterruptedException {
        long begin = System.nanoTime();
        int step = formed.event().step();
        int version = flow.look(TrainingState::version);
        List<Event> events = new ArrayList<>();
        if (verbs.weights().isDue(step)) {
            int next = ++version;
            events.add(waits.call(
                    RunWait.EXPORT,
                    "weights of step " + step,
                    parts.config().worker().callDeadline(),
                    () -> verbs.weights().publish(seated.worker(), next, step, null)));
        }
        double seconds = (System.nanoTime() - stepBegan) / 1e9;
        stepBegan = System.nanoTime();
        StepCompleted completed = records.of(formed, result, version, seconds, modelFigures);
        Map<String, Double> figures = completed.metrics();
        events.addFirst(completed);
        events.addAll(
                StepFigures.points(run.runId(), step, figures, parts.clock().instant()));
        events.add(worked());
        journal.append(events, formed.id());
        guards.take(completed);
        flow.look(this::forget);
        verbs.weights().retireOld(flow.look(TrainingState::keptWeights), journal);
        took("update weights", begin);
        LOG.info(
                "step trained runId={} step={} reward={} loss={} weightVersion={} seconds={}",
                run.runId(),
                step,
                "%.3f".formatted(figures.getOrDefault(RunMetric.RAW_REWARD.wireName(), Double.NaN)),
                "%.4f".formatted(result.metrics().loss()),
                version,
                "%.2f".formatted(seconds));
    }

    private boolean forget(TrainingState state) {
        state.forgetUpTo(workerStep);
        return true;
    }

    /** What is measured beside training is measured by one version: an engine must keep it while others go on. */
    private void keepEvaluatedWeights(int step) throws InterruptedException {
        evaluation.publish();
        if (verbs.weights().isDue(step)) {
            handOver.beforePublication(evaluation);
        }
    }

    /** Books what is left over, so that every token has its bucket, and saves the cut that no step follows. */
    private void finish() throws InterruptedException {
        if (signals.stopping().isDone()) {
            evaluation.abandon();
        }
        evaluation.finish();
        evaluation.abandon();
        flow.stopAsking();
        boolean inFlight = flow.inFlight() > 0;
        if (signals.stopping().isDone()) {
            flow.withdrawAll("the run ends early: " + signals.stopping().join());
        }
        // What was given to instances still gets an answer: with tokens that would otherwise be in no bucket.
        if (inFlight
                && !flow.await(
                        () -> flow.state().running().isEmpty(),
                        parts.config().waits().leftovers())) {
            flow.withdrawAll("no step follows");
        }
        Optional<BatchDraft> closing = flow.look(TrainingState::decideClosing);
        while (closing.isPresent()) {
            journal.append(event(closing.get(), ""));
            closing = flow.look(TrainingState::decideClosing);
        }
        handOver.beforeTraining(evaluation);
        saving.last();
        journal.append(worked());
        LOG.info("run trained runId={} steps={}", run.runId(), workerStep);
    }

    private Event worked() {
        return new WorkerWorked(run.runId(), run.epoch(), seated.worker().takeTimes());
    }

    private void took(String verb, long begin) {
        parts.meters().took(run.runId(), verb, Duration.ofNanos(System.nanoTime() - begin));
    }
}
