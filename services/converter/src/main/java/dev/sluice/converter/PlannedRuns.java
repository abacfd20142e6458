package dev.sluice.converter;

import dev.sluice.events.Event;
import dev.sluice.events.RunEvent.RunPlanned;
import dev.sluice.kafka.EventRecord;
import jakarta.enterprise.context.ApplicationScoped;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/** Where each planned run's model comes from: an export needs its config.json and its tokenizer. */
@ApplicationScoped
public class PlannedRuns {
    private static final Duration DEADLINE = Duration.ofSeconds(10);

    private final Map<String, String> modelPaths = new HashMap<>();

    synchronized void apply(EventRecord<Event> record) {
        if (record.event() instanceof RunPlanned planned) {
            modelPaths.put(planned.runId(), planned.request().model().path());
            notifyAll();
        }
    }

    /** The run's model directory; waits up to {@link #DEADLINE} for its plan. Empty for a run that nobody planned. */
    synchronized Optional<String> awaitModelPath(String runId) {
        long deadline = System.nanoTime() + DEADLINE.toNanos();
        while (!modelPaths.containsKey(runId) && System.nanoTime() < deadline) {
            try {
                wait(Math.max(1, (deadline - System.nanoTime()) / 1_000_000));
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                return Optional.empty();
            }
        }
        return Optional.ofNullable(modelPaths.get(runId));
    }
}
