package dev.sluice.rollout.engine;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Which fingerprint a weight version has, by what its loads gave. Engines that went since keep their votes, so that of two
 * which differ the second one's replacement decides.
 */
final class ChecksumVotes {
    private static final int VERSIONS = 4;

    private final Map<Integer, Map<String, Integer>> votes = new LinkedHashMap<>() {
        @Override
        protected boolean removeEldestEntry(Map.Entry<Integer, Map<String, Integer>> eldest) {
            return size() > VERSIONS;
        }
    };

    /**
     * Where a version's votes stand.
     *
     * @param sum fingerprint of most loads; of several with as many, the one that came first
     * @param tied whether another one has as many
     */
    record Standing(String sum, boolean tied) {}

    /** Counts a load. */
    Standing vote(int version, String sum) {
        Map<String, Integer> sums = votes.computeIfAbsent(version, any -> new LinkedHashMap<>());
        sums.merge(sum, 1, Integer::sum);
        int most = Collections.max(sums.values());
        List<String> leaders = sums.entrySet().stream()
                .filter(entry -> entry.getValue() == most)
                .map(Map.Entry::getKey)
                .toList();
        return new Standing(leaders.getFirst(), leaders.size() > 1);
    }
}
