package dev.sluice.cli.run;

import dev.sluice.events.EngineEvent;
import dev.sluice.events.EngineEvent.EngineReady;
import dev.sluice.events.EngineEvent.EngineStarted;
import dev.sluice.events.EngineEvent.EngineStopped;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Engines that ended before they were ready, since the last one that was: a run whose engines all do would seem to wait in silence. */
final class EngineTrouble {
    private static final int LONGEST_LINE = 160;

    private final Set<String> starting = new HashSet<>();
    private int ended;
    private @Nullable EngineStopped last;

    void apply(EngineEvent event) {
        switch (event) {
            case EngineStarted started -> starting.add(started.engineId());
            case EngineReady ready -> {
                starting.remove(ready.engineId());
                ended = 0;
                last = null;
            }
            case EngineStopped stopped -> {
                if (starting.remove(stopped.engineId())) {
                    ended++;
                    last = stopped;
                }
            }
            default -> {}
        }
    }

    /** How many, and what the last one said; empty where there is no trouble. */
    Optional<String> text() {
        EngineStopped stopped = last;
        if (stopped == null) {
            return Optional.empty();
        }
        String line = telling(stopped.lastLines()).map(text -> ": " + text).orElse("");
        return Optional.of("%d %s ended before %s ready; the last, %s: %s%s"
                .formatted(
                        ended,
                        ended == 1 ? "engine" : "engines",
                        ended == 1 ? "it was" : "they were",
                        stopped.engineId(),
                        stopped.reason(),
                        line));
    }

    /** The last line that names an error, as Python's and Java's do; else the last one. */
    private static Optional<String> telling(List<String> lines) {
        List<String> full = lines.stream()
                .map(String::strip)
                .filter(line -> !line.isEmpty())
                .toList();
        return full.stream()
                .filter(line -> line.matches(".*\\b\\w*(Error|Exception)\\b.*"))
                .reduce((first, second) -> second)
                .or(() -> full.stream().reduce((first, second) -> second))
                .map(line -> line.length() > LONGEST_LINE ? line.substring(0, LONGEST_LINE) + "..." : line);
    }
}
