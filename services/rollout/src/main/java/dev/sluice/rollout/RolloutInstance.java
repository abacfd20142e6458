package dev.sluice.rollout;

import dev.sluice.events.EngineEvent;
import dev.sluice.events.Event;
import dev.sluice.events.GroupTask.GroupRequested;
import dev.sluice.events.GroupTask.GroupWithdrawn;
import dev.sluice.events.InstanceSnapshot.State;
import dev.sluice.events.RunEvent;
import dev.sluice.events.WeightEvent.PhaseChanged;
import dev.sluice.events.WeightEvent.WeightsPublished;
import dev.sluice.kafka.EventRecord;
import dev.sluice.rollout.assignment.AssignmentChange;
import dev.sluice.rollout.assignment.Assignments;
import dev.sluice.rollout.assignment.Meetings;
import dev.sluice.rollout.assignment.Share;
import dev.sluice.rollout.core.Core;
import dev.sluice.rollout.heartbeat.Heartbeats;
import dev.sluice.rollout.task.DirectRequests;
import dev.sluice.rollout.task.GroupAnswers;
import dev.sluice.rollout.task.TaskArrival;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** One rollout instance: turns what the topics say into work for its runs. Events may come from any thread. */
final class RolloutInstance {
    private static final Logger LOG = LoggerFactory.getLogger(RolloutInstance.class);

    private final RunRollout.Surroundings around;
    private final Core core;
    private final Heartbeats heartbeats;
    private final GroupAnswers answers;
    private final int slots;
    private final Assignments assignments;
    private final Meetings meetings = new Meetings();
    private final Map<String, RunRollout> runs = new HashMap<>();
    /** Released, and not at rest yet. */
    private final Set<RunRollout> ending = new HashSet<>();

    private final Map<String, WeightsPublished> newestWeights = new HashMap<>();
    private final Map<String, PhaseChanged> newestPhases = new HashMap<>();
    private boolean draining;

    RolloutInstance(RunRollout.Surroundings around, Heartbeats heartbeats, int slots) {
        this.around = around;
        this.core = around.core();
        this.heartbeats = heartbeats;
        this.answers = new GroupAnswers(core, around.publisher(), around.groupFigures());
        this.slots = slots;
        this.assignments = new Assignments(around.instanceId(), around.incarnation());
    }

    /** A record of the runs', engines', weights' or tasks' topic. */
    void handle(EventRecord<Event> record) {
        Instant polled = core.now();
        core.execute(() -> {
            switch (record.event()) {
                case RunEvent run -> apply(run);
                case EngineEvent engine -> heard(engine);
                case WeightsPublished published -> published(published);
                case PhaseChanged phase -> changed(phase);
                case GroupRequested task -> requested(task, TaskArrival.of(record, polled));
                case GroupWithdrawn withdrawn -> withdrawn(withdrawn);
                default ->
                    LOG.debug("nothing to do type={}", record.event().getClass().getSimpleName());
            }
        });
    }

    /** Announces the instance; everything sent to it from before that on is read. */
    void announce() {
        core.execute(heartbeats::begin);
    }

    private void apply(RunEvent event) {
        switch (assignments.apply(event)) {
            case AssignmentChange.Serve serve -> serve(serve.share());
            case AssignmentChange.Release release -> release(release);
            case AssignmentChange.Unchanged unchanged -> {}
        }
        if (event instanceof RunEvent.RunSucceeded
                || event instanceof RunEvent.RunFailed
                || event instanceof RunEvent.RunCancelled) {
            newestWeights.remove(event.runId());
            newestPhases.remove(event.runId());
            meetings.forget(event.runId());
        }
    }

    private void heard(EngineEvent event) {
        meetings.apply(event);
        if (event.instanceId().equals(around.instanceId())) {
            return;
        }
        ending.forEach(run -> run.heard(event));
        RunRollout run = runs.get(event.runId());
        if (run != null) {
            run.heard(event);
        }
    }

    private void serve(Share assigned) {
        if (draining) {
            return;
        }
        Share share = assigned;
        if (share.engines() > slots) {
            LOG.warn("runId={} asks for {} engines; this instance has {} slots", share.runId(), share.engines(), slots);
            share = share.withEngines(slots);
        }
        LOG.info(
                "run is served runId={} epoch={} engines={} node={}",
                share.runId(),
                share.epoch(),
                share.engines(),
                share.node());
        RunRollout run = runs.get(share.runId());
        if (run == null) {
            run = new RunRollout(around, share);
            runs.put(share.runId(), run);
            WeightsPublished newest = newestWeights.get(share.runId());
            if (newest != null) {
                run.published(newest);
            }
            PhaseChanged phase = newestPhases.get(share.runId());
            if (phase != null) {
                run.changed(phase);
            }
        }
        run.serve(share, meetings.of(share.runId()));
    }

    private void release(AssignmentChange.Release release) {
        RunRollout run = runs.remove(release.runId());
        if (run != null) {
            LOG.info("run is released runId={} reason={}", release.runId(), release.reason());
            ending.add(run);
            run.release(release.reason(), release.runGoesOn(), core)
                    .thenRun(() -> core.execute(() -> ending.remove(run)));
        }
    }

    private void published(WeightsPublished event) {
        WeightsPublished known = newestWeights.get(event.runId());
        if (known == null || event.version() > known.version()) {
            newestWeights.put(event.runId(), event);
        }
        RunRollout run = runs.get(event.runId());
        if (run != null) {
            run.published(event);
        }
    }

    private void changed(PhaseChanged event) {
        // An older one of a newer epoch's is sorted out by the run.
        PhaseChanged known = newestPhases.get(event.runId());
        if (known == null || event.epoch() >= known.epoch()) {
            newestPhases.put(event.runId(), event);
        }
        RunRollout run = runs.get(event.runId());
        if (run != null) {
            run.changed(event);
        }
    }

    /**
     * Hands the run of a request over HTTP to the action, on the core's thread; nothing where there is no such run.
     *
     * @param runId null for the only one
     */
    void direct(@Nullable String runId, Consumer<Optional<DirectRequests>> action) {
        core.execute(() -> {
            Optional<RunRollout> run = runId != null
                    ? Optional.ofNullable(runs.get(runId))
                    : runs.size() == 1 ? Optional.of(runs.values().iterator().next()) : Optional.empty();
            action.accept(draining ? Optional.empty() : run.map(RunRollout::direct));
        });
    }

    /** Hands all engines of this instance to the action, on the core's thread. */
    void workers(Consumer<List<DirectRequests.Worker>> action) {
        core.execute(() -> action.accept(runs.values().stream()
                .flatMap(run -> run.direct().workers().stream())
                .toList()));
    }

    private void requested(GroupRequested task, TaskArrival arrival) {
        RunRollout run = runs.get(task.runId());
        if (run == null) {
            answers.refuse(task, arrival.cause(), "run " + task.runId() + " is not assigned to " + around.instanceId());
        } else {
            run.accept(task, arrival);
        }
    }

    private void withdrawn(GroupWithdrawn event) {
        RunRollout run = runs.get(event.runId());
        if (run != null) {
            run.withdraw(event);
        }
    }

    /** Finishes or abandons what runs, ends the engines, and says goodbye; ends when all of it is done. */
    CompletableFuture<Void> drain(Duration mayFinish) {
        CompletableFuture<Void> stopped = new CompletableFuture<>();
        core.execute(() -> {
            draining = true;
            heartbeats.change(State.DRAINING);
            List<CompletableFuture<Void>> closing = runs.values().stream()
                    .map(run -> run.drain("the instance is stopping", mayFinish, core))
                    .toList();
            CompletableFuture.allOf(closing.toArray(CompletableFuture[]::new))
                    .whenComplete((ended, failure) -> core.execute(() -> heartbeats
                            .change(State.STOPPED)
                            .whenComplete((record, problem) -> stopped.complete(null))));
        });
        return stopped;
    }
}
