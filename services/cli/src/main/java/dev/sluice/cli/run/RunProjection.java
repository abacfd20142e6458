package dev.sluice.cli.run;

import dev.sluice.domain.ledger.ControlPlane;
import dev.sluice.domain.ledger.ControlPlaneTime;
import dev.sluice.domain.ledger.HandOvers;
import dev.sluice.domain.ledger.Ledger;
import dev.sluice.domain.ledger.SeatTime;
import dev.sluice.domain.ledger.TimeLedger;
import dev.sluice.events.CheckpointEvent;
import dev.sluice.events.CheckpointEvent.CheckpointConverted;
import dev.sluice.events.CheckpointEvent.CheckpointExported;
import dev.sluice.events.EngineEvent;
import dev.sluice.events.Event;
import dev.sluice.events.GroupEvent;
import dev.sluice.events.GroupTask;
import dev.sluice.events.InstanceSnapshot;
import dev.sluice.events.MetricPoint;
import dev.sluice.events.Problem;
import dev.sluice.events.RunEvent;
import dev.sluice.events.RunKind;
import dev.sluice.events.RunRequest;
import dev.sluice.events.TrainingEvent;
import dev.sluice.events.TrainingEvent.CheckpointSaved;
import dev.sluice.events.TrainingEvent.EvalCompleted;
import dev.sluice.events.TrainingEvent.StepCompleted;
import dev.sluice.events.TrainingEvent.WaitChanged;
import dev.sluice.events.TrainingEvent.WorkerFellBack;
import dev.sluice.events.TrainingRequest.GuardAction;
import dev.sluice.events.WeightEvent;
import dev.sluice.kafka.EventRecord;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** One run as its events tell. Feed it the run's topics, each in its order; not for several threads. */
public final class RunProjection {
    private final String runId;
    private final Ledger ledger;
    private final TimeLedger time;
    private final ControlPlane controlPlane;
    private final HandOvers handOvers;
    private final EngineTrouble engines = new EngineTrouble();
    private final List<EvalCompleted> evaluations = new ArrayList<>();
    private RunPhase phase = RunPhase.REQUESTED;
    private String reason = "";
    private List<Problem> problems = List.of();
    private RunEvent.@Nullable RunPlanned planned;
    private RunEvent.@Nullable RunSucceeded succeeded;
    private @Nullable StepCompleted lastStep;
    private @Nullable CheckpointConverted converted;
    private @Nullable CheckpointExported exported;
    private @Nullable CheckpointSaved saved;
    private @Nullable WaitChanged waiting;
    private @Nullable String pausedBy;
    private @Nullable Instant startedAt;
    private @Nullable Instant trainedAt;
    private Instant newest = Instant.EPOCH;
    private int conversionPercent;
    private @Nullable String conversionWaitsFor;
    private Map<String, String> results = Map.of();
    private int position;
    private int answers;
    private int rollbacks;
    private TrainingEvent.@Nullable RolledBack rolledBack;
    private @Nullable WorkerFellBack memory;
    private long events;

    public RunProjection(String runId) {
        this.runId = runId;
        this.ledger = new Ledger(runId);
        this.time = new TimeLedger(runId);
        this.controlPlane = new ControlPlane(runId);
        this.handOvers = new HandOvers(runId);
    }

    /** Takes an event; those of other runs change nothing. */
    public void apply(EventRecord<Event> record) {
        if (!record.event().runId().equals(runId)) {
            return;
        }
        events++;
        ledger.apply(record.event(), record.id());
        time.apply(record.event(), record.time());
        controlPlane.apply(record.event(), record.time());
        handOvers.apply(record.event(), record.time());
        newest = record.time().isAfter(newest) ? record.time() : newest;
        switch (record.event()) {
            case RunEvent run -> applyRun(run, record.time());
            case CheckpointEvent checkpoint -> applyCheckpoint(checkpoint);
            case TrainingEvent training -> applyTraining(training, record.id(), record.time());
            case RunRequest request -> {}
            case GroupEvent group -> {}
            case InstanceSnapshot instance -> {}
            case GroupTask task -> {}
            case WeightEvent weights -> {}
            case EngineEvent engine -> engines.apply(engine);
            case MetricPoint point -> {}
        }
    }

    private void applyRun(RunEvent event, Instant time) {
        switch (event) {
            case RunEvent.RunPlanned plan -> {
                answers++;
                planned = plan;
                problems = List.of();
                move(RunPhase.PLANNED, "");
            }
            case RunEvent.RunRejected rejected -> {
                answers++;
                problems = rejected.problems();
                if (planned == null) { // otherwise another request under this id was refused: the run itself goes on
                    move(RunPhase.REJECTED, problems.size() == 1 ? "a problem" : problems.size() + " problems");
                }
            }
            case RunEvent.RunQueued queued -> {
                move(RunPhase.QUEUED, queued.reason());
                position = queued.position();
            }
            case RunEvent.RunAssigned assigned -> {
                if (startedAt == null) {
                    move(RunPhase.STARTING, assigned.reason());
                } else if (phase == RunPhase.QUEUED) {
                    move(RunPhase.TRAINING, "");
                }
            }
            case RunEvent.RunStarted started -> {
                startedAt = startedAt == null ? time : startedAt;
                move(RunPhase.TRAINING, "");
            }
            case RunEvent.RunStopping stopping -> move(RunPhase.STOPPING, stopping.reason());
            case RunEvent.RunSucceeded success -> {
                succeeded = success;
                move(RunPhase.SUCCEEDED, "");
            }
            case RunEvent.RunFailed failed -> move(RunPhase.FAILED, failed.reason());
            case RunEvent.RunCancelled cancelled -> move(RunPhase.CANCELLED, cancelled.reason());
        }
    }

    private void applyCheckpoint(CheckpointEvent event) {
        conversionWaitsFor = event instanceof CheckpointEvent.ConversionProgressed now ? now.waitingFor() : null;
        switch (event) {
            case CheckpointConverted done -> {
                converted = done;
                conversionPercent = 0;
            }
            case CheckpointExported done -> exported = done;
            case CheckpointEvent.ConversionProgressed progress ->
                conversionPercent = (int) (100 * progress.bytesDone() / Math.max(1, progress.bytesTotal()));
            case CheckpointEvent.ConversionStarted started -> conversionPercent = 0;
            case CheckpointEvent.ConversionFailed failed -> reason = failed.reason();
        }
    }

    private void applyTraining(TrainingEvent event, UUID id, Instant time) {
        switch (event) {
            case StepCompleted step -> {
                lastStep = step;
                trainedAt = time;
            }
            case EvalCompleted evaluation -> evaluations.add(evaluation);
            case CheckpointSaved cut -> saved = cut;
            case WaitChanged wait -> waiting = wait.waitingFor().isEmpty() ? null : wait;
            case TrainingEvent.TrainerLost lost -> reason = lost.reason();
            case TrainingEvent.RolloutFinished finished -> results = finished.results();
            case TrainingEvent.TrainerReady ready -> {}
            case TrainingEvent.CheckpointAdopted adopted -> {}
            case TrainingEvent.BatchFormed batch -> {}
            case TrainingEvent.WorkerWorked worked -> {}
            case TrainingEvent.GuardTripped tripped ->
                pausedBy = tripped.action() == GuardAction.PAUSE ? id.toString() : pausedBy;
            case TrainingEvent.GuardReleased released ->
                pausedBy = released.tripId().equals(pausedBy) ? null : pausedBy;
            case TrainingEvent.RolledBack taken -> {
                rollbacks++;
                rolledBack = taken;
            }
            case WorkerFellBack fellBack -> memory = fellBack;
            case TrainingEvent.CheckpointRetired retired -> {}
        }
    }

    private void move(RunPhase next, String why) {
        position = 0;
        phase = next;
        reason = why;
    }

    public String runId() {
        return runId;
    }

    public Ledger ledger() {
        return ledger;
    }

    /** Where the time of its seats went up to its newest event. */
    public SeatTime seatTime() {
        return time.spent(newest);
    }

    /** What its steps take besides the work of engines and worker, once there are any. */
    public Optional<ControlPlaneTime> controlPlane() {
        return controlPlane.time();
    }

    public RunPhase phase() {
        return phase;
    }

    /** Why it is in its phase; may be empty. */
    public String reason() {
        return reason;
    }

    /** What was wrong with the newest request under this id that was refused. */
    public List<Problem> problems() {
        return problems;
    }

    /** Plans and rejections so far: one more for each request that was answered. */
    public int answers() {
        return answers;
    }

    /** Events of this run so far. */
    public long events() {
        return events;
    }

    public List<EvalCompleted> evaluations() {
        return List.copyOf(evaluations);
    }

    public RunEvent.@Nullable RunPlanned planned() {
        return planned;
    }

    public RunEvent.@Nullable RunSucceeded succeeded() {
        return succeeded;
    }

    public @Nullable StepCompleted lastStep() {
        return lastStep;
    }

    public @Nullable CheckpointConverted converted() {
        return converted;
    }

    public @Nullable CheckpointExported exported() {
        return exported;
    }

    /** The newest cut. */
    public @Nullable CheckpointSaved saved() {
        return saved;
    }

    /** What engines do with their GPUs while others use them; empty where nothing is handed over, and when it is over. */
    public Optional<HandOvers.Now> handOver() {
        return phase.isOver() ? Optional.empty() : handOvers.now();
    }

    /** What is wrong with the engines that are being started, if something is. */
    public Optional<String> engineTrouble() {
        return engines.text();
    }

    /** What the trainer waits for, if it does. */
    public @Nullable WaitChanged waiting() {
        return waiting;
    }

    /** The guard's trip that paused the run, if it is paused. */
    public @Nullable String pausedBy() {
        return phase.isOver() ? null : pausedBy;
    }

    /** Times that a guard took steps back. */
    public int rollbacks() {
        return rollbacks;
    }

    /** The newest of them. */
    public TrainingEvent.@Nullable RolledBack rolledBack() {
        return rolledBack;
    }

    /** What the worker gets since it ran out of memory; absent where it did not. */
    public @Nullable WorkerFellBack memory() {
        return memory;
    }

    /** When training began. */
    public @Nullable Instant startedAt() {
        return startedAt;
    }

    /** When the newest step was trained. */
    public @Nullable Instant trainedAt() {
        return trainedAt;
    }

    /** Of the conversion or export that goes on. */
    public int conversionPercent() {
        return conversionPercent;
    }

    /** Who holds the target of the conversion or export and since when, or what else keeps its copy from beginning. */
    public @Nullable String conversionWaitsFor() {
        return conversionWaitsFor;
    }

    /** What keeps a run that is not over from going on, if something does: what its conversion or its trainer waits for. */
    public @Nullable String waitsFor() {
        if (phase.isOver()) {
            return null;
        }
        return conversionWaitsFor == null && waiting != null ? waiting.waitingFor() : conversionWaitsFor;
    }

    /** What the run does; null before there is a plan. */
    public @Nullable RunKind kind() {
        return planned == null ? null : RunKind.of(planned.request());
    }

    /** Of runs with a higher one none waits behind it; 0 before there is a plan. */
    public int priority() {
        return planned == null ? 0 : planned.request().scheduling().priority();
    }

    /** Place among the runs that wait, from 1; 0 where it waits for nothing. */
    public int position() {
        return position;
    }

    /** Files of samples by set, of a run that trains nothing. */
    public Map<String, String> results() {
        return results;
    }

    /** Steps the run is to train; 0 before there is a plan. */
    public int stepsPlanned() {
        return planned == null ? 0 : planned.request().training().steps();
    }
}
