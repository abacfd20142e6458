package dev.sluice.dashboard;

import dev.sluice.domain.guard.GuardTrip;
import dev.sluice.domain.ledger.ControlPlane;
import dev.sluice.domain.ledger.HandOvers;
import dev.sluice.domain.ledger.Ledger;
import dev.sluice.domain.ledger.SeatTime;
import dev.sluice.domain.ledger.TimeLedger;
import dev.sluice.events.CheckpointEvent;
import dev.sluice.events.EngineEvent;
import dev.sluice.events.Event;
import dev.sluice.events.MetricPoint;
import dev.sluice.events.Problem;
import dev.sluice.events.RunEvent;
import dev.sluice.events.RunKind;
import dev.sluice.events.RunMetric;
import dev.sluice.events.TrainingEvent;
import dev.sluice.events.WeightEvent;
import dev.sluice.kafka.EventRecord;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** What is known of one run. Not for several threads. */
final class RunView {
    /** Points of one figure that are kept; older ones are thinned to every second. */
    private static final int MAX_POINTS = 4000;

    private static final int MAX_HISTORY = 200;

    private final String runId;
    private final Ledger ledger;
    private final TimeLedger time;
    private final ControlPlane controlPlane;
    private final HandOvers handOvers;
    private final Map<String, TreeMap<Integer, Double>> series = new TreeMap<>();
    private final Map<String, EngineView> engines = new TreeMap<>();
    private final List<RunPage.Moment> history = new ArrayList<>();
    private final List<RunPage.Evaluation> evaluations = new ArrayList<>();
    private String name = "";
    private String phase = "requested";
    private String kind = "";
    private String placement = "";
    private String transport = "";
    private int priority;
    private int position;
    private int steps;
    private int step;
    private boolean started;
    private int epoch;
    private int weightVersion;
    private RunPage.@Nullable Conversion conversion;
    private RunPage.@Nullable Wait waiting;

    RunView(String runId) {
        this.runId = runId;
        this.ledger = new Ledger(runId);
        this.time = new TimeLedger(runId);
        this.controlPlane = new ControlPlane(runId);
        this.handOvers = new HandOvers(runId);
    }

    String runId() {
        return runId;
    }

    void apply(EventRecord<Event> record) {
        ledger.apply(record.event(), record.id());
        time.apply(record.event(), record.time());
        controlPlane.apply(record.event(), record.time());
        handOvers.apply(record.event(), record.time());
        switch (record.event()) {
            case RunEvent run -> applyRun(run, record.time());
            case TrainingEvent training -> applyTraining(training, record.time());
            case CheckpointEvent checkpoint -> applyCheckpoint(checkpoint, record.time());
            case WeightEvent.WeightsPublished weights -> weightVersion = Math.max(weightVersion, weights.version());
            case MetricPoint point -> addPoint(point.name(), point.step(), point.value());
            case EngineEvent.PhaseReached reached -> {
                // Of an instance, not of an engine.
            }
            case EngineEvent engine ->
                engines.merge(
                        engine.engineId(),
                        EngineView.of(engine, record.time()),
                        (old, now) -> old.apply(engine, record.time()));
            default -> {
                // Groups count in the ledger alone; requests and instances belong to no view of a run.
            }
        }
    }

    private void applyRun(RunEvent run, Instant time) {
        switch (run) {
            case RunEvent.RunPlanned planned -> {
                name = planned.request().name();
                steps = planned.request().training().steps();
                kind = RunKind.of(planned.request()).wireName();
                placement = planned.plan().placement().name().toLowerCase(Locale.ROOT);
                transport = planned.plan().transport().name().toLowerCase(Locale.ROOT);
                priority = planned.request().scheduling().priority();
                enter("planned", time, "");
            }
            case RunEvent.RunRejected rejected ->
                enter(
                        "rejected",
                        time,
                        String.join(
                                "; ",
                                rejected.problems().stream()
                                        .map(Problem::message)
                                        .toList()));
            case RunEvent.RunQueued queued -> {
                enter("queued", time, queued.reason());
                position = queued.position();
            }
            case RunEvent.RunAssigned assigned -> {
                epoch = assigned.epoch();
                enter(started ? "running" : "assigned", time, "epoch " + assigned.epoch() + ": " + assigned.reason());
            }
            case RunEvent.RunStarted begun -> {
                started = true;
                enter("running", time, "");
            }
            case RunEvent.RunStopping stopping -> enter("stopping", time, stopping.reason());
            case RunEvent.RunSucceeded succeeded -> enter("succeeded", time, succeeded.huggingFace());
            case RunEvent.RunFailed failed -> enter("failed", time, failed.reason());
            case RunEvent.RunCancelled cancelled -> enter("cancelled", time, cancelled.reason());
        }
    }

    private void applyTraining(TrainingEvent training, Instant time) {
        switch (training) {
            case TrainingEvent.TrainerReady ready ->
                note(time, "trainer ready: " + ready.how() + ", step " + ready.step());
            case TrainingEvent.BatchFormed formed -> {
                // Its tokens are in the ledger; the page shows steps when they are trained.
            }
            case TrainingEvent.StepCompleted completed -> {
                step = Math.max(step, completed.step());
                waiting = null;
            }
            case TrainingEvent.EvalCompleted eval -> {
                evaluations.removeIf(known -> known.set().equals(eval.set()) && known.step() == eval.step());
                evaluations.add(new RunPage.Evaluation(eval.set(), eval.step(), eval.samples(), eval.meanReward()));
            }
            case TrainingEvent.CheckpointSaved saved ->
                note(time, "cut at step " + saved.step() + " in " + saved.directory());
            case TrainingEvent.CheckpointRetired retired -> note(time, "cut of step " + retired.step() + " deleted");
            case TrainingEvent.WaitChanged changed ->
                waiting = changed.waitingFor().isEmpty()
                        ? null
                        : new RunPage.Wait(changed.waitingFor(), changed.reason(), changed.since(), changed.deadline());
            case TrainingEvent.WorkerWorked worked -> {
                // In the ledger of time.
            }
            case TrainingEvent.WorkerFellBack fellBack ->
                note(time, "worker out of memory at step " + fellBack.step() + "; now " + fellBack.difference());
            case TrainingEvent.GuardTripped tripped ->
                note(
                        time,
                        "guard: %s: %s"
                                .formatted(
                                        GuardTrip.of(tripped).reason(),
                                        tripped.action().name().toLowerCase(Locale.ROOT)));
            case TrainingEvent.GuardReleased released -> note(time, "goes on after a pause: " + released.reason());
            case TrainingEvent.RolledBack taken -> {
                step = taken.toStep();
                note(time, "rolled back to step " + taken.toStep() + ": " + taken.reason());
            }
            case TrainingEvent.TrainerLost lost -> note(time, "trainer lost: " + lost.reason());
            case TrainingEvent.RolloutFinished finished -> note(time, "all is sampled");
            case TrainingEvent.CheckpointAdopted adopted ->
                note(
                        time,
                        "goes on from step %d of %s with %d of its finished groups"
                                .formatted(adopted.step(), adopted.earlierRunId(), adopted.groups()));
        }
    }

    private void applyCheckpoint(CheckpointEvent checkpoint, Instant time) {
        conversion = null;
        switch (checkpoint) {
            case CheckpointEvent.ConversionStarted started -> {
                conversion = new RunPage.Conversion(started.direction(), 0, started.bytesTotal(), null);
                note(time, "converting " + started.source());
            }
            case CheckpointEvent.ConversionProgressed progressed ->
                conversion = new RunPage.Conversion(
                        progressed.direction(),
                        progressed.bytesDone(),
                        progressed.bytesTotal(),
                        progressed.waitingFor());
            case CheckpointEvent.CheckpointConverted converted ->
                note(
                        time,
                        "converted in %.1f s%s".formatted(converted.seconds(), converted.reused() ? " (cached)" : ""));
            case CheckpointEvent.CheckpointExported exported -> note(time, "exported to " + exported.huggingFace());
            case CheckpointEvent.ConversionFailed failed -> note(time, "conversion failed: " + failed.reason());
        }
    }

    private void enter(String next, Instant time, String detail) {
        phase = next;
        position = 0;
        note(time, detail.isEmpty() ? next : next + ": " + detail);
    }

    private void note(Instant time, String what) {
        history.add(new RunPage.Moment(time, what));
        if (history.size() > MAX_HISTORY) {
            history.removeFirst();
        }
    }

    private void addPoint(String figure, int atStep, double value) {
        TreeMap<Integer, Double> points = series.computeIfAbsent(figure, key -> new TreeMap<>());
        points.put(atStep, value);
        if (points.size() > MAX_POINTS) {
            int newest = points.lastKey();
            points.keySet().removeIf(known -> known % 2 == 1 && known < newest - MAX_POINTS / 4);
        }
    }

    /** The newest value of a figure, NaN where there is none. */
    double newest(String figure) {
        TreeMap<Integer, Double> points = series.get(figure);
        return points == null || points.isEmpty()
                ? Double.NaN
                : points.lastEntry().getValue();
    }

    Iterable<String> figures() {
        return List.copyOf(series.keySet());
    }

    int step() {
        return step;
    }

    int weightVersion() {
        return weightVersion;
    }

    long enginesReady() {
        return engines.values().stream().filter(EngineView::ready).count();
    }

    RunPage.Summary summary() {
        return new RunPage.Summary(
                runId, name, phase, step, steps, newest(RunMetric.RAW_REWARD.wireName()), kind, priority, position);
    }

    RunPage page(Instant now) {
        SeatTime spent = time.spent(now);
        return new RunPage(
                summary(),
                epoch,
                weightVersion,
                conversion,
                waiting,
                new RunPage.HandOver(placement, transport, handOvers.now().orElse(null)),
                ledger.tokens(),
                ledger.tokensReported(),
                spent,
                spent.perTrainedToken(ledger.tokens().trained()),
                controlPlane.time().orElse(null),
                ledger.acceptLength().orElse(Double.NaN),
                List.copyOf(engines.values()),
                List.copyOf(evaluations),
                List.copyOf(history),
                RunPage.Series.of(series));
    }
}
