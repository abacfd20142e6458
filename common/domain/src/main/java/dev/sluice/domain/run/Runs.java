package dev.sluice.domain.run;

import dev.sluice.events.RunEvent;
import java.time.Instant;
import java.util.Collection;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** All runs of the planner's own log, in the order in which they were first seen. Not for several threads. */
public final class Runs {
    private final Map<String, Run> runs = new LinkedHashMap<>();

    /** Takes an event of the own log; nothing else changes a run. */
    public void apply(RunEvent event, Instant at) {
        Run before = runs.getOrDefault(event.runId(), Run.requested(event.runId()));
        runs.put(event.runId(), before.apply(event, at));
    }

    /** A run by its id, or null before its first event. */
    public @Nullable Run get(String runId) {
        return runs.get(runId);
    }

    public Collection<Run> all() {
        return Collections.unmodifiableCollection(runs.values());
    }
}
