package dev.sluice.domain.ledger;

import dev.sluice.events.EngineEvent.PhaseReached;
import dev.sluice.events.Event;
import dev.sluice.events.RunEvent;
import dev.sluice.events.RunEvent.RunAssigned;
import dev.sluice.events.TimeSpan;
import dev.sluice.events.WeightEvent.Phase;
import dev.sluice.events.WeightEvent.PhaseChanged;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * How engines of a run hand GPUs to training or stand still for new weights. A projection of the run's topics, each in its order,
 * the topics in any. Not for several threads.
 */
public final class HandOvers {
    private final String runId;
    private final TreeMap<Integer, Began> phases = new TreeMap<>();
    private final Map<String, PhaseReached> reached = new HashMap<>();
    private @Nullable RunAssigned newest;

    private record Began(Phase phase, Instant at) {}

    /**
     * @param number of the phase, from 1
     * @param awaited instances whose engines are not yet in it
     */
    public record Now(Phase phase, int number, Instant since, List<String> awaited) {
        public Now {
            awaited = List.copyOf(awaited);
        }

        /** For people: {@code train (7), waits for rollout-1}. */
        public String text() {
            String name = "%s (%d)".formatted(phase.name().toLowerCase(Locale.ROOT), number);
            return awaited.isEmpty() ? name : name + ", waits for " + String.join(", ", awaited);
        }
    }

    public HandOvers(String runId) {
        this.runId = runId;
    }

    /** @param at when it was written */
    public void apply(Event event, Instant at) {
        if (!event.runId().equals(runId)) {
            return;
        }
        switch (event) {
            case PhaseChanged changed -> phases.put(changed.number(), new Began(changed.phase(), at));
            case PhaseReached now ->
                reached.merge(
                        now.instanceId() + " " + now.incarnation(),
                        now,
                        (known, next) -> next.number() >= known.number() ? next : known);
            case RunAssigned assigned -> newest = assigned;
            default -> {}
        }
    }

    /** The newest phase; empty where engines and training have nothing to hand over. */
    public Optional<Now> now() {
        return Optional.ofNullable(phases.lastEntry())
                .map(last -> new Now(
                        last.getValue().phase(), last.getKey(), last.getValue().at(), awaited(last.getKey())));
    }

    private List<String> awaited(int number) {
        return newest == null
                ? List.of()
                : newest.rollout().stream()
                        .filter(share -> !isReached(share, number))
                        .map(RunEvent.RolloutShare::instanceId)
                        .distinct()
                        .toList();
    }

    private boolean isReached(RunEvent.RolloutShare share, int number) {
        PhaseReached said = reached.get(share.instanceId() + " " + share.incarnation());
        return said != null && said.number() >= number;
    }

    /** Times in which engines were to stand still, oldest first; one that goes on ends with the run. */
    List<TimeSpan> standstills(Instant until) {
        List<TimeSpan> spans = new ArrayList<>();
        Instant began = null;
        for (Began phase : phases.values()) {
            if (phase.phase() != Phase.GENERATE) {
                began = began == null ? phase.at() : began;
            } else if (began != null) {
                spans.add(new TimeSpan(began, phase.at().isBefore(began) ? began : phase.at()));
                began = null;
            }
        }
        if (began != null && began.isBefore(until)) {
            spans.add(new TimeSpan(began, until));
        }
        return List.copyOf(spans);
    }
}
