package dev.sluice.rollout.engine;

import org.jspecify.annotations.Nullable;

/**
 * Samples on each data-parallel rank of an engine. With attention in data parallel the ranks step together, so the fullest one
 * sets the pace of all.
 */
final class RankLoads {
    private final int[] samples;

    RankLoads(int ranks) {
        this.samples = new int[Math.max(1, ranks)];
    }

    /**
     * Where samples go: the home that has their beginning in its cache, while its share of the engine has room for them; else the
     * rank with the fewest samples, the first of them. Null where there is one rank, or the engine is not ours to steer.
     *
     * @param home null where they have none
     * @param limit samples that all ranks together get at once
     */
    @Nullable
    Integer choose(boolean steered, @Nullable Integer home, int more, int limit) {
        if (!steered || samples.length == 1) {
            return null;
        }
        if (home != null && home < samples.length && samples[home] + more <= Math.ceilDiv(limit, samples.length)) {
            return home;
        }
        int fewest = 0;
        for (int rank = 1; rank < samples.length; rank++) {
            fewest = samples[rank] < samples[fewest] ? rank : fewest;
        }
        return fewest;
    }

    int count() {
        return samples.length;
    }

    void add(@Nullable Integer rank, int more) {
        if (rank != null) {
            samples[rank] += more;
        }
    }
}
