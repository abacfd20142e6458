package dev.sluice.converter;

import dev.sluice.events.CheckpointEvent.CheckpointConverted;
import dev.sluice.events.Event;
import dev.sluice.events.RunEvent.RunCancelled;
import dev.sluice.events.RunEvent.RunFailed;
import dev.sluice.events.RunEvent.RunSucceeded;
import dev.sluice.kafka.EventRecord;
import jakarta.enterprise.context.ApplicationScoped;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;

/**
 * Which converted models runs use that have not ended. The two topics have no common order: a conversion may be read after
 * the end of its run.
 */
@ApplicationScoped
public class ConversionsInUse {
    private final Map<String, Set<String>> keysOfRun = new HashMap<>();
    private final Set<String> ended = new HashSet<>();

    synchronized void apply(EventRecord<Event> record) {
        Event event = record.event();
        if (event instanceof RunSucceeded || event instanceof RunFailed || event instanceof RunCancelled) {
            ended.add(event.runId());
            keysOfRun.remove(event.runId());
        } else if (event instanceof CheckpointConverted converted && !ended.contains(event.runId())) {
            keysOfRun.computeIfAbsent(event.runId(), run -> new HashSet<>()).add(key(Path.of(converted.torchDist())));
        }
    }

    /** Hosts may mount the cache at different places, so its last name decides. */
    synchronized boolean uses(Path conversion) {
        String key = key(conversion);
        return keysOfRun.values().stream().anyMatch(keys -> keys.contains(key));
    }

    private static String key(Path conversion) {
        return String.valueOf(conversion.getFileName());
    }
}
