package dev.sluice.rollout.engine;

import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/** What the first process of an engine knows of those on other nodes. Used on the core's thread. */
final class OtherNodes {
    private final Set<Integer> missing = new TreeSet<>();
    private Optional<StartFailure> failure = Optional.empty();

    OtherNodes(EngineStart start) {
        if (start.node() != null && !start.follows()) {
            IntStream.range(1, start.node().nodes()).forEach(missing::add);
        }
    }

    void started(int node) {
        missing.remove(node);
    }

    /** One ended; before the engine was ready the reason may say why it never was. */
    void ended(Engine engine, String reason) {
        failure = engine.firstReady() == null ? StartFailure.of(List.of(reason)) : Optional.empty();
    }

    Optional<StartFailure> failure() {
        return failure;
    }

    /** Which ones nobody has started, as the end of a sentence; nothing where all are. */
    String missing() {
        return missing.isEmpty()
                ? ""
                : "; no process of node %s was started"
                        .formatted(missing.stream().map(String::valueOf).collect(Collectors.joining(", ")));
    }
}
