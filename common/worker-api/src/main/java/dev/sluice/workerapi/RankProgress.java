package dev.sluice.workerapi;

import java.util.Comparator;
import java.util.List;

/**
 * Where a rank of a worker is.
 *
 * @param phase what it does, such as {@code optimizer step 1, micro-batch 4 of 8}
 * @param seconds since when it does that
 */
public record RankProgress(int rank, String phase, double seconds) {
    public RankProgress {
        phase = phase == null ? "" : phase;
    }

    /**
     * Who keeps the others waiting: ranks meet in collective calls, so the one that has been longest in its phase is late.
     *
     * @param ranks at least one
     */
    static String describe(List<RankProgress> ranks) {
        RankProgress longest = ranks.stream()
                .max(Comparator.comparingDouble(RankProgress::seconds))
                .orElseThrow();
        List<RankProgress> elsewhere = ranks.stream()
                .filter(other -> !other.phase.equals(longest.phase))
                .toList();
        String who =
                ranks.size() == 1 || !elsewhere.isEmpty() ? "rank " + longest.rank : "all " + ranks.size() + " ranks";
        String where = "%s in %s for %d s".formatted(who, longest.phase, Math.round(longest.seconds));
        if (elsewhere.isEmpty()) {
            return where;
        }
        RankProgress next = elsewhere.stream()
                .max(Comparator.comparingDouble(RankProgress::seconds))
                .orElseThrow();
        return "%s, rank %d in %s for %d s".formatted(where, next.rank, next.phase, Math.round(next.seconds));
    }
}
