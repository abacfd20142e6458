package dev.sluice.rollout.task;

import java.util.Comparator;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Decides which engine a group's samples go to. Pure. */
final class Admission {
    /**
     * An engine that takes work.
     *
     * @param capacity samples it runs at once
     * @param free samples it can take now
     */
    record Candidate(String engineId, int version, int capacity, int free) {}

    sealed interface Decision {
        record To(String engineId) implements Decision {}

        /** Engines hold a version that fits, but none has room: wait, and let nobody overtake. */
        record NoRoom() implements Decision {}

        /** No engine that takes work holds a version that fits. */
        record NoVersion() implements Decision {}
    }

    private Admission() {}

    /**
     * All samples go to one engine, because they share the prompt's prefill: the one with the newest weights, then the most
     * room. A group larger than an engine goes to an empty one, which queues the rest itself.
     *
     * @param home an engine that may have what was generated before in its cache; it goes before others of its version
     */
    static Decision choose(VersionBound bound, int samples, @Nullable String home, List<Candidate> engines) {
        List<Candidate> fitting = engines.stream()
                .filter(engine -> bound.accepts(engine.version()))
                .toList();
        if (fitting.isEmpty()) {
            return new Decision.NoVersion();
        }
        return fitting.stream()
                .filter(engine -> engine.free() >= Math.min(samples, engine.capacity()))
                .max(Comparator.comparingInt(Candidate::version)
                        .thenComparing(engine -> engine.engineId().equals(home))
                        .thenComparingInt(Candidate::free))
                .<Decision>map(engine -> new Decision.To(engine.engineId()))
                .orElseGet(Decision.NoRoom::new);
    }
}
