package dev.sluice.domain.training;

import dev.sluice.events.TrainingEvent.BatchFormed;
import dev.sluice.events.TrainingEvent.DropReason;
import dev.sluice.events.TrainingEvent.GroupDrop;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;

/** How many groups filters have left out, by the step that they were sampled for and by reason. */
final class FilterCounts {
    /** Each reason is a metric of its own, and a reward may take any value. */
    private static final int MAX_REASONS = 16;

    private static final String OTHER = "other";

    private final TreeMap<Integer, Map<String, Integer>> steps = new TreeMap<>();

    void count(GroupDrop drop, BatchFormed formed) {
        if (drop.reason() != DropReason.FILTERED) {
            return;
        }
        // A record without groups stands between two steps: the groups would have been the next one's.
        int step = formed.groups().isEmpty() ? formed.step() + 1 : formed.step();
        Map<String, Integer> reasons = steps.computeIfAbsent(step, key -> new TreeMap<>());
        String reason = Objects.requireNonNullElse(drop.detail(), OTHER);
        boolean named = reasons.containsKey(reason) || reasons.size() < MAX_REASONS;
        reasons.merge(named ? reason : OTHER, 1, Integer::sum);
    }

    Map<String, Integer> of(int step) {
        return Map.copyOf(steps.getOrDefault(step, Map.of()));
    }

    int total(int step) {
        return of(step).values().stream().mapToInt(Integer::intValue).sum();
    }

    void forgetUpTo(int step) {
        steps.headMap(step, true).clear();
    }
}
