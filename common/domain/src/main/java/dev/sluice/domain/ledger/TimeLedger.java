package dev.sluice.domain.ledger;

import dev.sluice.events.Backend;
import dev.sluice.events.EngineEvent;
import dev.sluice.events.Event;
import dev.sluice.events.RunEvent;
import dev.sluice.events.TimeSpan;
import dev.sluice.events.TrainingEvent.WorkerWorked;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * The ledger of a run's seats: each second of each engine's and worker's GPUs by what was done in it. On a backend without GPUs a
 * seat is a process. Where engines and worker share GPUs, each side's time is counted.
 *
 * <p>A projection of the run's topics, each in its order, the topics in any; reading them again gives the same. The buckets add up
 * to the seats' time: what no process filled is down. Not for several threads.
 */
public final class TimeLedger {
    private final String runId;
    private final List<Assignment> assignments = new ArrayList<>();
    private final Map<String, EngineTime> engines = new HashMap<>();
    private final Map<Process, Life> lives = new HashMap<>();
    private final WorkerSeatTime worker = new WorkerSeatTime();
    private final HandOvers handOvers;
    private int workerSeats = 1;
    private boolean gpus;
    private @Nullable Instant ended;

    /** One process of an engine. */
    private record Process(String engineId, int node) {}

    /** @param ended null while it lives */
    private record Life(
            String instanceId, Instant began, @Nullable Instant ended) {}

    private record Assignment(Instant at, Map<String, Integer> enginesByInstance, Map<String, Integer> seatsEach) {}

    public TimeLedger(String runId) {
        this.runId = runId;
        this.handOvers = new HandOvers(runId);
    }

    /** @param at when it was written */
    public void apply(Event event, Instant at) {
        if (!event.runId().equals(runId)) {
            return;
        }
        handOvers.apply(event, at);
        switch (event) {
            case RunEvent run -> applyRun(run, at);
            case EngineEvent engine -> applyEngine(engine, at);
            case WorkerWorked worked -> worked.calls().forEach(worker::apply);
            default -> {}
        }
    }

    private void applyRun(RunEvent event, Instant at) {
        switch (event) {
            case RunEvent.RunPlanned planned -> {
                gpus = planned.plan().backend() == Backend.GPU;
                workerSeats = Math.max(1, planned.plan().training().gpus());
            }
            case RunEvent.RunAssigned assigned -> assignments.add(assignment(assigned, at));
            case RunEvent.RunSucceeded succeeded -> ended = at;
            case RunEvent.RunFailed failed -> ended = at;
            case RunEvent.RunCancelled cancelled -> ended = at;
            case RunEvent.RunRejected rejected -> {}
            case RunEvent.RunQueued queued -> {}
            case RunEvent.RunStarted started -> {}
            case RunEvent.RunStopping stopping -> {}
        }
    }

    private static Assignment assignment(RunEvent.RunAssigned assigned, Instant at) {
        return new Assignment(
                at,
                assigned.rollout().stream()
                        .collect(Collectors.toMap(
                                RunEvent.RolloutShare::instanceId, RunEvent.RolloutShare::engines, Integer::sum)),
                assigned.rollout().stream()
                        .collect(Collectors.toMap(
                                RunEvent.RolloutShare::instanceId,
                                share -> Math.max(1, share.gpus().size() / Math.max(1, share.engines())),
                                Math::max)));
    }

    private void applyEngine(EngineEvent event, Instant at) {
        EngineTime time = engines.computeIfAbsent(event.engineId(), absent -> new EngineTime());
        switch (event) {
            case EngineEvent.EngineStarted started ->
                lives.put(new Process(started.engineId(), started.node()), new Life(started.instanceId(), at, null));
            case EngineEvent.EngineReady ready -> time.apply(ready, at);
            case EngineEvent.WeightsLoaded loaded -> time.apply(loaded);
            case EngineEvent.EngineWorked worked -> time.generated(worked.generating());
            case EngineEvent.EngineStopped stopped ->
                lives.computeIfPresent(
                        new Process(stopped.engineId(), stopped.node()),
                        (process, life) -> new Life(life.instanceId(), life.began(), at));
            case EngineEvent.EngineUnhealthy unhealthy -> {}
            case EngineEvent.EngineQuarantined quarantined -> {}
            case EngineEvent.EngineFellBack fellBack -> {}
            case EngineEvent.PhaseReached reached -> {}
        }
    }

    /**
     * Where the time went.
     *
     * @param now counts as the end of a run that goes on
     */
    public SeatTime spent(Instant now) {
        if (assignments.isEmpty()) {
            return SeatTime.NONE;
        }
        Instant from = assignments.getFirst().at();
        Instant until = ended != null ? ended : now.isAfter(from) ? now : from;
        TimeBuckets all = TimeBuckets.NONE;
        List<TimeSpan> standstills = handOvers.standstills(until);
        for (String instance : instances()) {
            all = all.plus(spentOn(instance, new TimeSpan(from, until), standstills));
        }
        return new SeatTime(
                gpus ? "GPU-seconds" : "process-seconds",
                TimeBuckets.seconds(Duration.between(from, until)),
                all,
                worker.spent(from, until, ended != null).times(workerSeats));
    }

    private List<String> instances() {
        return assignments.stream()
                .flatMap(assignment -> assignment.enginesByInstance().keySet().stream())
                .distinct()
                .sorted()
                .toList();
    }

    private TimeBuckets spentOn(String instance, TimeSpan run, List<TimeSpan> standstills) {
        Instant from = run.began();
        Instant until = run.ended();
        TimeBuckets sum = TimeBuckets.NONE;
        List<TimeSpan> alive = new ArrayList<>();
        for (Map.Entry<Process, Life> entry : lives.entrySet()) {
            Life life = entry.getValue();
            EngineTime engine = engines.getOrDefault(entry.getKey().engineId(), new EngineTime());
            Instant began = later(engine.began(life.began()), from);
            Instant end = life.ended() == null || life.ended().isAfter(until) ? until : life.ended();
            if (life.instanceId().equals(instance) && end.isAfter(began)) {
                TimeSpan span = new TimeSpan(began, end);
                alive.add(span);
                sum = sum.plus(engine.spent(span, standstills));
            }
        }
        int seatsEach = assignments.stream()
                .mapToInt(assignment -> assignment.seatsEach().getOrDefault(instance, 1))
                .max()
                .orElse(1);
        return sum.plus(TimeBuckets.down(emptySeconds(instance, alive, from, until)))
                .times(seatsEach);
    }

    /** Time of seats that were assigned and in which no process was. */
    private double emptySeconds(String instance, List<TimeSpan> alive, Instant from, Instant until) {
        record Change(Instant at, int seats, int processes) {}
        List<Change> changes = new ArrayList<>();
        int known = 0;
        for (Assignment assignment : assignments) {
            int engines = assignment.enginesByInstance().getOrDefault(instance, 0);
            changes.add(new Change(assignment.at(), engines - known, 0));
            known = engines;
        }
        for (TimeSpan span : alive) {
            changes.add(new Change(span.began(), 0, 1));
            changes.add(new Change(span.ended(), 0, -1));
        }
        changes.sort(Comparator.comparing(Change::at));
        changes.add(new Change(until, 0, 0));
        double empty = 0;
        int free = 0;
        Instant last = from;
        for (Change change : changes) {
            Instant at = change.at().isAfter(until) ? until : change.at();
            empty += Math.max(0, free) * TimeBuckets.seconds(Duration.between(last, later(at, last)));
            free += change.seats() - change.processes();
            last = later(at, last);
        }
        return empty;
    }

    private static Instant later(Instant one, Instant other) {
        return one.isAfter(other) ? one : other;
    }
}
