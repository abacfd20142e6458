package dev.sluice.domain.run;

import dev.sluice.domain.run.Placement.Choice;
import dev.sluice.events.CheckpointEvent.CheckpointExported;
import dev.sluice.events.CheckpointEvent.ConversionFailed;
import dev.sluice.events.RunEvent;
import dev.sluice.events.RunEvent.RunCancelled;
import dev.sluice.events.RunEvent.RunFailed;
import dev.sluice.events.RunEvent.RunQueued;
import dev.sluice.events.RunEvent.RunStarted;
import dev.sluice.events.RunEvent.RunSucceeded;
import dev.sluice.events.RunKind;
import dev.sluice.events.TrainingEvent.TrainerLost;
import dev.sluice.events.TrainingRequest;
import java.time.Duration;
import java.time.Instant;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Decides what happens next to one run. It looks at conditions, never at the order in which they were learned, so asking
 * again is harmless: a run for which nothing is to be done gets no event.
 *
 * @param queue of all runs
 * @param ahead the run that comes before this one and waits for instances of the same backend; absent where none does
 */
record Lifecycle(
        Run run,
        RunConditions conditions,
        Deadlines deadlines,
        RunQueue queue,
        @Nullable Run ahead,
        Instant now) {
    /** How often a trainer may give a run up with the hope that another succeeds. */
    static final int MAX_TRAINERS_LOST = 3;

    /** The next event of the run, if one is due. */
    Optional<RunEvent> next(Runs runs, Instances instances) {
        return switch (run.phase()) {
            case REQUESTED, REJECTED, SUCCEEDED, FAILED, CANCELLED -> Optional.empty();
            case STOPPING -> stopped(instances);
            case PLANNED, QUEUED, ASSIGNED, RUNNING ->
                ended().or(() -> placed(runs, instances)).or(this::started);
        };
    }

    private Optional<RunEvent> ended() {
        CheckpointExported export = conditions.exported();
        if (export != null && run.service() != null) {
            return Optional.of(new RunSucceeded(run.runId(), export.step(), export.torchDist(), export.huggingFace()));
        }
        if (conditions.rolloutFinished()) {
            String model = request().model().path();
            return Optional.of(new RunSucceeded(run.runId(), 0, model, model));
        }
        return failure().map(reason -> new RunFailed(run.runId(), reason, conditions.newestCut()));
    }

    private Optional<String> failure() {
        ConversionFailed conversion = conditions.conversionFailed();
        if (conversion != null) {
            return Optional.of("the checkpoint could not be converted: " + conversion.reason());
        }
        TrainerLost lost = trainerLost();
        if (lost != null && !lost.retry()) {
            return Optional.of(lost.reason());
        }
        if (lost != null && conditions.trainersLost() > MAX_TRAINERS_LOST) {
            return Optional.of("%d trainers gave the run up; the last said: %s"
                    .formatted(conditions.trainersLost(), lost.reason()));
        }
        return conversionOverdue().or(this::exportOverdue).or(this::startOverdue);
    }

    private @Nullable TrainerLost trainerLost() {
        return run.service() == null ? null : conditions.lost(run.service().trainerEpoch());
    }

    private Optional<String> conversionOverdue() {
        Instant since = later(run.accepted() == null ? now : run.accepted().at(), conditions.conversionSeenAt());
        return trains() && conditions.convertedAt() == null && overdue(since, deadlines.conversion())
                ? Optional.of("the converter did not report for %s; is a converter running? Its log says more"
                        .formatted(text(deadlines.conversion())))
                : Optional.empty();
    }

    private Optional<String> exportOverdue() {
        Instant saved = conditions.lastCutAt();
        return saved != null && overdue(later(saved, conditions.conversionSeenAt()), deadlines.conversion())
                ? Optional.of("training is done and saved, but the converter did not report for %s; export %s by hand"
                        .formatted(text(deadlines.conversion()), conditions.newestCut()))
                : Optional.empty();
    }

    private Optional<String> startOverdue() {
        Run.Service service = run.service();
        if (run.phase() != RunPhase.ASSIGNED || service == null) {
            return Optional.empty();
        }
        Instant since = service.at();
        if (!conditions.engineReady(service.assignment()) && overdue(since, deadlines.enginesReady())) {
            return Optional.of("no engine of %s was ready within %s; the instances' engine logs say why"
                    .formatted(rolloutIds(service), text(deadlines.enginesReady())));
        }
        Instant converted = trains() ? conditions.convertedAt() : since;
        Duration mayTake = trainerMayTake();
        boolean trainerDue = converted != null
                && !conditions.trainerReady(service.trainerEpoch())
                && overdue(later(since, converted), mayTake);
        return trainerDue
                ? Optional.of("%s was not ready within %s; its log and the worker's say why"
                        .formatted(service.assignment().trainer().instanceId(), text(mayTake)))
                : Optional.empty();
    }

    /** A colocated worker is given its GPUs when the engines on them have started. */
    private Duration trainerMayTake() {
        boolean colocated =
                Objects.requireNonNull(run.accepted()).event().plan().colocated();
        return colocated ? deadlines.enginesReady().plus(deadlines.trainerReady()) : deadlines.trainerReady();
    }

    private static String rolloutIds(Run.Service service) {
        return String.join(
                ", ",
                service.assignment().rollout().stream()
                        .map(RunEvent.RolloutShare::instanceId)
                        .toList());
    }

    private Optional<RunEvent> placed(Runs runs, Instances instances) {
        return switch (choice(runs, instances)) {
            case Choice.Keep keep -> Optional.empty();
            case Choice.Assign assign
            when ahead != null && RunQueue.isWaiting(run) ->
                waiting(new Choice.Wait(
                        "waits behind %s, which is before it in the queue".formatted(ahead.runId()), false, true));
            case Choice.Assign assign -> Optional.of(assign.assignment());
            case Choice.Wait wait -> waiting(wait);
        };
    }

    private Choice choice(Runs runs, Instances instances) {
        return new Placement(run, runs, instances, queue, now).choose(trainerLost() != null);
    }

    /** Whether it waits for what others hold, so that nobody may overtake it. */
    boolean standsInLine(Runs runs, Instances instances) {
        return run.phase() == RunPhase.QUEUED && choice(runs, instances) instanceof Choice.Wait wait && wait.inLine();
    }

    private TrainingRequest request() {
        return Objects.requireNonNull(run.accepted()).event().request();
    }

    private boolean trains() {
        return RunKind.of(request()).trains();
    }

    private Optional<RunEvent> waiting(Choice.Wait wait) {
        String reason = wait.lacksNodes()
                ? "%s, and the run fails where that is so for %s".formatted(wait.reason(), text(deadlines.nodes()))
                : wait.reason();
        RunQueued queued = new RunQueued(run.runId(), reason, queue.position(run));
        if (!queued.equals(run.last())) {
            return Optional.of(queued);
        }
        return wait.lacksNodes() && overdue(run.since(), deadlines.nodes())
                ? Optional.of(new RunFailed(
                        run.runId(),
                        "it waited in vain for %s: %s; start more instances, or plan engines that fit one node (rollout.layout.gpusPerEngine)"
                                .formatted(text(deadlines.nodes()), wait.reason()),
                        conditions.newestCut()))
                : Optional.empty();
    }

    private Optional<RunEvent> started() {
        Run.Service service = run.service();
        boolean ready = run.phase() == RunPhase.ASSIGNED
                && service != null
                && conditions.trainerReady(service.trainerEpoch())
                && conditions.engineReady(service.assignment());
        return ready
                ? Optional.of(new RunStarted(run.runId(), service.assignment().epoch()))
                : Optional.empty();
    }

    /** A run that a client ended waits for its last cut only while somebody can still save and export it. */
    private Optional<RunEvent> stopped(Instances instances) {
        String asked = run.last() instanceof RunEvent.RunStopping stopping ? stopping.reason() : "";
        Run.Service service = run.service();
        CheckpointExported export = conditions.exported();
        if (export != null) {
            return cancelled(asked + "; step %d is exported to %s".formatted(export.step(), export.huggingFace()));
        }
        if (!trains()) {
            return cancelled(asked);
        }
        if (service == null || service.startedTrainerEpoch() == 0) {
            return cancelled(asked + "; training had not begun");
        }
        var trainer = service.assignment().trainer();
        Optional<String> lost = instances.lost(trainer.instanceId(), trainer.incarnation(), now);
        TrainerLost gaveUp = trainerLost();
        if (gaveUp != null) {
            return cancelled(asked + "; the trainer ended before it saved: " + gaveUp.reason());
        }
        if (lost.isPresent() && conditions.lastCutAt() == null) {
            return cancelled(asked + "; the trainer was lost before it saved");
        }
        if (conditions.conversionFailed() != null) {
            return cancelled(asked + "; the export failed: "
                    + conditions.conversionFailed().reason());
        }
        return overdue(run.since(), deadlines.stopping())
                ? cancelled(asked + "; the last cut was not exported within " + text(deadlines.stopping()))
                : Optional.empty();
    }

    private Optional<RunEvent> cancelled(String reason) {
        return Optional.of(new RunCancelled(run.runId(), reason));
    }

    private boolean overdue(Instant since, Duration deadline) {
        return now.isAfter(since.plus(deadline));
    }

    private static Instant later(Instant one, Instant other) {
        return one.isAfter(other) ? one : other;
    }

    private static String text(Duration duration) {
        return duration.toSeconds() + " s";
    }
}
