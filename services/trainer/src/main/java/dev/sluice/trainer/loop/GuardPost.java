package dev.sluice.trainer.loop;

import dev.sluice.domain.guard.GuardTrip;
import dev.sluice.domain.guard.GuardWatch;
import dev.sluice.domain.training.LogEntry;
import dev.sluice.domain.training.TrainingState;
import dev.sluice.events.Event;
import dev.sluice.events.TrainingEvent.CheckpointRetired;
import dev.sluice.events.TrainingEvent.CheckpointSaved;
import dev.sluice.events.TrainingEvent.GuardReleased;
import dev.sluice.events.TrainingEvent.GuardTripped;
import dev.sluice.events.TrainingEvent.RolledBack;
import dev.sluice.events.TrainingEvent.StepCompleted;
import dev.sluice.events.TrainingRequest.GuardAction;
import dev.sluice.trainer.run.RunSignals;
import dev.sluice.trainer.run.TrainedRun;
import dev.sluice.trainer.run.TrainingRefusedException;
import dev.sluice.trainer.wait.RunWait;
import dev.sluice.trainer.wait.WaitOverdueException;
import dev.sluice.trainer.wait.Waits;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Looks at each completed step and does what the request's guards say. What was done stands in the log, so a successor does what is
 * left to do: it waits on in a pause, and tells nothing twice.
 */
final class GuardPost {
    /** Then the run fails: each time it goes the same way. */
    static final int MAX_ROLLBACKS = 3;

    private static final Logger LOG = LoggerFactory.getLogger(GuardPost.class);

    private final TrainedRun run;
    private final Session session;
    private final RunSignals signals;
    private final Waits waits;
    private final Clock clock;
    private final GuardWatch watch;
    private final Map<String, Told> told = new HashMap<>();
    private final Set<String> released = new HashSet<>();
    private List<GuardTrip> trips = List.of();
    private int rollbacks;

    /** A trip that stands in the log. */
    private record Told(String id, GuardTripped event) {}

    GuardPost(TrainedRun run, Session session, RunSignals signals, Waits waits, Clock clock) {
        this.run = run;
        this.session = session;
        this.signals = signals;
        this.waits = waits;
        this.clock = clock;
        this.watch = new GuardWatch(run.request().guards());
        session.history().guardEntries().forEach(this::remember);
    }

    private void remember(LogEntry<Event> entry) {
        switch (entry.event()) {
            case StepCompleted completed -> take(completed);
            case GuardTripped tripped -> told.put(key(tripped.step(), tripped.figure()), new Told(entry.id(), tripped));
            case GuardReleased release -> released.add(release.tripId());
            case RolledBack taken -> {
                rollbacks++;
                watch.forget();
                trips = List.of();
                told.values().removeIf(trip -> trip.event().step() > taken.toStep());
            }
            default -> {}
        }
    }

    /** Takes a step's figures. */
    void take(StepCompleted completed) {
        trips = watch.observe(completed.step(), completed.metrics());
    }

    /**
     * Does what follows from the newest step; returns when the next one may be taken.
     *
     * @throws RolledBackException if steps were taken back
     * @throws TrainingRefusedException if the run is to fail
     */
    void act() throws InterruptedException {
        for (GuardTrip trip : trips) {
            Told known = told.get(key(trip.step(), trip.guard().figure()));
            Told now = known == null ? tell(trip) : known;
            switch (trip.guard().action()) {
                case WARN -> {}
                case PAUSE -> pause(trip, now);
                case ROLLBACK -> rollBack(trip);
                case FAIL ->
                    throw new TrainingRefusedException(
                            "a guard ends the run: " + trip.reason() + "; resume from a cut with other parameters");
            }
        }
        trips = List.of();
    }

    private Told tell(GuardTrip trip) {
        boolean pauses = trip.guard().action() == GuardAction.PAUSE;
        Instant deadline =
                pauses ? clock.instant().plus(Duration.ofMinutes(trip.guard().pauseMinutes())) : null;
        GuardTripped event = new GuardTripped(
                run.runId(),
                run.epoch(),
                trip.step(),
                trip.guard().figure(),
                trip.value(),
                trip.guard().above(),
                trip.guard().forSteps(),
                trip.guard().action(),
                deadline);
        LOG.warn(
                "guard tripped runId={} action={} reason={}",
                run.runId(),
                trip.guard().action(),
                trip.reason());
        Told now = new Told(session.journal().append(event).id().toString(), event);
        told.put(key(trip.step(), trip.guard().figure()), now);
        return now;
    }

    private void pause(GuardTrip trip, Told paused) throws InterruptedException {
        if (released.contains(paused.id())) {
            return;
        }
        CompletableFuture<String> goOn = signals.continued(paused.id());
        Instant deadline = Optional.ofNullable(paused.event().deadline()).orElseGet(clock::instant);
        String reason = "%s; sluice continue %s goes on, sluice cancel %s ends it with what is trained"
                .formatted(trip.reason(), run.runId(), run.runId());
        try {
            waits.await(
                    RunWait.GUARD,
                    reason,
                    Duration.between(clock.instant(), deadline),
                    CompletableFuture.anyOf(goOn, signals.stopping()));
        } catch (WaitOverdueException e) {
            throw new TrainingRefusedException("a guard paused the run and nobody let it go on: " + trip.reason(), e);
        }
        if (goOn.isDone()) {
            session.journal().append(new GuardReleased(run.runId(), run.epoch(), paused.id(), goOn.join()));
            LOG.info("run goes on after a pause runId={} reason={}", run.runId(), goOn.join());
        }
    }

    /** The record and the end of the cuts that no longer stand are one transaction; whoever recovers reads the rest from the log. */
    private void rollBack(GuardTrip trip) {
        if (rollbacks >= MAX_ROLLBACKS) {
            throw new TrainingRefusedException(
                    "a guard ends the run after %d rollbacks: %s; resume from a cut with other parameters"
                            .formatted(rollbacks, trip.reason()));
        }
        List<CheckpointSaved> cuts = session.flow().look(TrainingState::cuts);
        int to = cuts.stream()
                .mapToInt(CheckpointSaved::step)
                .filter(step -> step < trip.step())
                .max()
                .orElse(0);
        List<Event> events = new ArrayList<>();
        events.add(new RolledBack(
                run.runId(),
                run.epoch(),
                session.flow().look(TrainingState::formedStep),
                to,
                session.flow().look(TrainingState::version),
                trip.reason()));
        cuts.stream()
                .filter(cut -> cut.step() > to)
                .map(cut -> new CheckpointRetired(run.runId(), run.epoch(), cut.step(), cut.directory()))
                .forEach(events::add);
        session.journal().append(events, null);
        throw new RolledBackException(
                "steps %d to %d are taken back: %s".formatted(to + 1, trip.step(), trip.reason()));
    }

    private static String key(int step, String figure) {
        return step + " " + figure;
    }
}
