package dev.sluice.rollout.assignment;

import dev.sluice.events.EngineEvent;
import dev.sluice.events.EngineEvent.EngineStarted;
import dev.sluice.events.EngineEvent.EngineStopped;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Engines of several nodes that were started and have not ended, for nodes that are to join them. An engine may be announced
 * before the assignment of its other nodes is read, because they come by two topics.
 */
public final class Meetings {
    private final Map<String, EngineStarted> alive = new LinkedHashMap<>();

    /** Takes the next event of the engines' topic; all of one engine come in order. */
    public void apply(EngineEvent event) {
        if (event instanceof EngineStarted started && started.meeting() != null) {
            alive.put(started.engineId(), started);
        } else if (event instanceof EngineStopped stopped) {
            alive.remove(stopped.engineId());
        }
    }

    /** Those of a run, in the order in which they were heard of. */
    public List<EngineStarted> of(String runId) {
        return alive.values().stream()
                .filter(started -> started.runId().equals(runId))
                .toList();
    }

    /** The run has ended. */
    public void forget(String runId) {
        alive.values().removeIf(started -> started.runId().equals(runId));
    }
}
