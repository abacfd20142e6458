package dev.sluice.rollout.task;

import java.util.LinkedHashMap;
import java.util.Map;

/** Rounds that this instance has sampled, with the epoch that asked; the newest ones. */
final class SampledRounds {
    private static final int KEPT = 4096;

    private final Map<GroupKey, Integer> epochs = new LinkedHashMap<>() {
        @Override
        protected boolean removeEldestEntry(Map.Entry<GroupKey, Integer> eldest) {
            return size() > KEPT;
        }
    };

    void add(GroupKey round, int epoch) {
        epochs.put(round, epoch);
    }

    boolean contains(GroupKey round, int epoch) {
        Integer known = epochs.get(round);
        return known != null && known == epoch;
    }
}
