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

    /** The rank with the fewest samples, the first of them; null where there is one, or the engine is not ours to steer. */
    @Nullable
    Integer fewest(boolean steered) {
        if (!steered || samples.length == 1) {
            return null;
        }
        int fewest = 0;
        for (int rank = 1; rank < samples.length; rank++) {
            fewest = samples[rank] < samples[fewest] ? rank : fewest;
        }
        return fewest;
    }

    void add(@Nullable Integer rank, int more) {
        if (rank != null) {
            samples[rank] += more;
        }
    }
}
