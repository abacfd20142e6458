package dev.sluice.domain.ledger;

import dev.sluice.events.Backend;
import dev.sluice.events.EngineEvent;
import dev.sluice.events.Event;
import dev.sluice.events.RunEvent;
import dev.sluice.events.TimeSpan;
import dev.sluice.events.TrainingEvent.CheckpointSaved;
import dev.sluice.events.TrainingEvent.WorkerWorked;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * The ledger of a run's seats: each second of each engine's and worker's GPUs by what was done in it. On a backend without GPUs a
 * seat is a process. Where engines and worker take turns on the same GPUs, a moment is the worker's while one of its calls runs,
 * else the engines'.
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
    private boolean shared;
    private @Nullable Instant trained;
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
            case CheckpointSaved cut -> trained = cut.last() ? at : trained;
            default -> {}
        }
    }

    private void applyRun(RunEvent event, Instant at) {
        switch (event) {
            case RunEvent.RunPlanned planned -> {
                gpus = planned.plan().backend() == Backend.GPU;
                shared = gpus && planned.plan().colocated(); // processes share nothing
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
            case EngineEvent.WeightsLoaded loaded -> time.apply(loaded, at);
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
        Instant until = ended != null ? ended : now;
        TimeSpan run = new TimeSpan(from, later(until, from));
        TimeBuckets all = TimeBuckets.NONE;
        SeatCount workerAlone = new SeatCount();
        workerAlone.change(from, workerSeats);
        Spans taken = shared ? worker.busy() : new Spans();
        Spans standstills = Spans.of(handOvers.standstills(trained == null ? run.ended() : trained));
        for (String instance : instances()) {
            Pool pool = pool(instance, run);
            all = all.plus(pool.spent(taken, standstills));
            if (shared) {
                pool.takeFrom(workerAlone);
            }
        }
        return new SeatTime(
                gpus ? "GPU-seconds" : "process-seconds",
                TimeBuckets.seconds(run.length()),
                all,
                worker.spent(run, ended != null, workerSeats, workerAlone::seconds));
    }

    private List<String> instances() {
        return assignments.stream()
                .flatMap(assignment -> assignment.enginesByInstance().keySet().stream())
                .distinct()
                .sorted()
                .toList();
    }

    private Pool pool(String instance, TimeSpan run) {
        int seatsEach = assignments.stream()
                .mapToInt(assignment -> assignment.seatsEach().getOrDefault(instance, 1))
                .max()
                .orElse(1);
        Pool pool = new Pool(run, seatsEach);
        for (Assignment assignment : assignments) {
            pool.assigned(assignment.at(), assignment.enginesByInstance().getOrDefault(instance, 0));
        }
        lives.forEach((process, life) -> {
            EngineTime engine = engines.getOrDefault(process.engineId(), new EngineTime());
            if (life.instanceId().equals(instance)) {
                pool.lived(engine, engine.began(life.began()), life.ended());
            }
        });
        return pool;
    }

    private static Instant later(Instant one, Instant other) {
        return one.isAfter(other) ? one : other;
    }
}
