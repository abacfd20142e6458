package dev.sluice.domain.training;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;

/**
 * Which optimizer step, data-parallel rank and micro-batch each sample belongs to. Mini-batches are whole groups in order;
 * within one, the longest sample goes to the emptiest rank, and each rank fills the same number of micro-batches, because
 * ranks exchange gradients once for each.
 */
final class Schedule {
    private Schedule() {}

    static void fill(BatchRows rows, int groups, BatchRules rules) {
        int steps = Math.min(rules.optimizerSteps(), groups);
        List<List<Integer>> bySteps = lists(steps);
        for (int row = 0; row < rows.samples(); row++) {
            int step = (int) ((long) rows.groups()[row] * steps / groups);
            rows.schedule()[3 * row] = step;
            bySteps.get(step).add(row);
        }
        for (List<Integer> ofStep : bySteps) {
            List<List<Integer>> byRank = spread(rows, ofStep, rules.ranks());
            int microBatches = byRank.stream()
                    .mapToInt(ofRank -> binsNeeded(rows, ofRank, rules.tokensPerMicroBatch()))
                    .max()
                    .orElse(1);
            for (int rank = 0; rank < byRank.size(); rank++) {
                List<List<Integer>> micro = spread(rows, byRank.get(rank), microBatches);
                for (int i = 0; i < micro.size(); i++) {
                    for (int row : micro.get(i)) {
                        rows.schedule()[3 * row + 1] = rank;
                        rows.schedule()[3 * row + 2] = i;
                    }
                }
            }
        }
    }

    /** Longest first, each to the part with the fewest tokens so far, then the fewest samples. */
    private static List<List<Integer>> spread(BatchRows rows, List<Integer> samples, int parts) {
        List<List<Integer>> spread = lists(parts);
        long[] tokens = new long[parts];
        for (int row : longestFirst(rows, samples)) {
            int emptiest = IntStream.range(0, parts)
                    .boxed()
                    .min(Comparator.<Integer>comparingLong(part -> tokens[part])
                            .thenComparingInt(part -> spread.get(part).size()))
                    .orElseThrow();
            spread.get(emptiest).add(row);
            tokens[emptiest] += rows.length(row);
        }
        return spread;
    }

    /** Parts of at most so many tokens that {@link #spread} needs; a sample that is longer counts alone. */
    private static int binsNeeded(BatchRows rows, List<Integer> samples, int tokensPerBin) {
        int longest = samples.stream().mapToInt(rows::length).max().orElse(0);
        int limit = Math.max(tokensPerBin, longest);
        for (int bins = 1; bins < samples.size(); bins++) {
            boolean fits = spread(rows, samples, bins).stream()
                    .allMatch(bin -> bin.stream().mapToLong(rows::length).sum() <= limit);
            if (fits) {
                return bins;
            }
        }
        return Math.max(1, samples.size());
    }

    private static List<Integer> longestFirst(BatchRows rows, List<Integer> samples) {
        return samples.stream()
                .sorted(Comparator.<Integer>comparingInt(row -> -rows.length(row))
                        .thenComparingInt(row -> row))
                .toList();
    }

    private static List<List<Integer>> lists(int count) {
        List<List<Integer>> lists = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            lists.add(new ArrayList<>());
        }
        return lists;
    }
}
