package dev.sluice.rollout.assignment;

import dev.sluice.events.RunEvent;
import dev.sluice.events.RunEvent.RolloutShare;
import dev.sluice.events.RunEvent.RunAssigned;
import dev.sluice.events.RunEvent.RunCancelled;
import dev.sluice.events.RunEvent.RunFailed;
import dev.sluice.events.RunEvent.RunPlanned;
import dev.sluice.events.RunEvent.RunQueued;
import dev.sluice.events.RunEvent.RunRejected;
import dev.sluice.events.RunEvent.RunStarted;
import dev.sluice.events.RunEvent.RunStopping;
import dev.sluice.events.RunEvent.RunSucceeded;
import dev.sluice.rollout.assignment.AssignmentChange.Release;
import dev.sluice.rollout.assignment.AssignmentChange.Serve;
import dev.sluice.rollout.assignment.AssignmentChange.Unchanged;
import dev.sluice.rollout.assignment.Share.EngineRecipe;
import dev.sluice.rollout.assignment.Share.Node;
import java.time.Duration;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Follows the planner's log and says what one process of one instance is to serve. Only an assignment that names the
 * process's incarnation is meant for it, and only the newest of a run counts.
 */
public final class Assignments {
    private static final AssignmentChange UNCHANGED = new Unchanged();

    private final String instanceId;
    private final String incarnation;
    private final Map<String, EngineRecipe> recipes = new HashMap<>();
    private final Map<String, Integer> epochs = new HashMap<>();
    private final Set<String> served = new HashSet<>();

    public Assignments(String instanceId, String incarnation) {
        this.instanceId = instanceId;
        this.incarnation = incarnation;
    }

    /** Takes the next event of the log and says what it changes. */
    public AssignmentChange apply(RunEvent event) {
        return switch (event) {
            case RunPlanned planned -> {
                recipes.putIfAbsent(planned.runId(), recipe(planned));
                yield UNCHANGED;
            }
            case RunAssigned assigned -> assigned(assigned);
            case RunSucceeded succeeded -> ended(succeeded.runId(), "the run succeeded");
            case RunFailed failed -> ended(failed.runId(), "the run failed");
            case RunCancelled cancelled -> ended(cancelled.runId(), "the run was cancelled");
            // A run that was rejected has no plan; the others change nothing that engines do.
            case RunRejected rejected -> UNCHANGED;
            case RunQueued queued -> UNCHANGED;
            case RunStarted started -> UNCHANGED;
            case RunStopping stopping -> UNCHANGED;
        };
    }

    private AssignmentChange assigned(RunAssigned event) {
        String runId = event.runId();
        EngineRecipe recipe = recipes.get(runId);
        if (recipe == null || event.epoch() <= epochs.getOrDefault(runId, Integer.MIN_VALUE)) {
            return UNCHANGED;
        }
        epochs.put(runId, event.epoch());
        Optional<RolloutShare> mine = event.rollout().stream()
                .filter(share -> share.instanceId().equals(instanceId)
                        && share.incarnation().equals(incarnation))
                .findFirst();
        if (mine.isPresent()) {
            served.add(runId);
            RolloutShare share = mine.get();
            Node node = share.node() == null ? null : Node.of(share.node());
            return new Serve(new Share(runId, event.epoch(), share.engines(), share.gpus(), recipe, node));
        }
        return served.remove(runId)
                ? new Release(runId, "assignment " + event.epoch() + " gives the run to other instances", true)
                : UNCHANGED;
    }

    private AssignmentChange ended(String runId, String reason) {
        recipes.remove(runId);
        epochs.remove(runId);
        return served.remove(runId) ? new Release(runId, reason, false) : UNCHANGED;
    }

    private static EngineRecipe recipe(RunPlanned planned) {
        var rollout = planned.plan().rollout();
        return new EngineRecipe(
                planned.request().model().path(),
                rollout.args(),
                rollout.maxRunningRequests(),
                Duration.ofSeconds(planned.request().weights().loadDeadlineSeconds()),
                rollout.environment(),
                rollout.fallbacks(),
                planned.request().rollout().pauseMode(),
                planned.plan().colocated());
    }
}
