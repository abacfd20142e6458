package dev.sluice.domain.batching;

import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.PriorityQueue;
import java.util.stream.IntStream;

/**
 * Parts whose sums are close: the largest differencing method. Solutions of few items are merged, those whose parts differ most
 * first, the heaviest part of one with the lightest of the other.
 *
 * @see <a href="https://en.wikipedia.org/wiki/Largest_differencing_method">Karmarkar and Karp 1982, for more than two parts</a>
 */
final class KarmarkarKarp {
    private static final Comparator<Part> BY_SUM = Comparator.comparingDouble(Part::sum)
            .thenComparingInt(part -> part.items().size())
            .thenComparing(Part::items, KarmarkarKarp::lexicographically);

    /** The most uneven first, then the one with the largest part: which of two equal ones comes first never depends on chance. */
    private static final Comparator<List<Part>> MOST_UNEVEN = Comparator.comparingDouble(KarmarkarKarp::spread)
            .thenComparing(List::getFirst, BY_SUM)
            .reversed();

    private KarmarkarKarp() {}

    private record Part(List<Integer> items, double sum) {
        static final Part EMPTY = new Part(List.of(), 0);

        Part with(Part other) {
            List<Integer> all = new ArrayList<>(items);
            all.addAll(other.items);
            double added = sum;
            return new Part(all, added + other.sum);
        }
    }

    /**
     * @param weights of the items, finite
     * @return items of each part in ascending order, at least one where there are as many items as parts
     */
    static List<List<Integer>> partition(double[] weights, int parts) {
        return merged(solutions(weights, parts, 1));
    }

    /**
     * The same with parts of equally many items.
     *
     * @throws IllegalArgumentException if the items do not divide into the parts
     */
    static List<List<Integer>> ofEqualSize(double[] weights, int parts) {
        if (weights.length % parts != 0) {
            throw new IllegalArgumentException("%d items do not divide into %d parts".formatted(weights.length, parts));
        }
        return merged(solutions(weights, parts, parts));
    }

    /** Solutions of so many items each, one a part, from the lightest item on. */
    private static PriorityQueue<List<Part>> solutions(double[] weights, int parts, int itemsEach) {
        List<Integer> lightestFirst = IntStream.range(0, weights.length)
                .boxed()
                .sorted(Comparator.<Integer>comparingDouble(item -> weights[item])
                        .thenComparingInt(item -> item))
                .toList();
        PriorityQueue<List<Part>> solutions = new PriorityQueue<>(MOST_UNEVEN);
        for (int first = 0; first < weights.length; first += itemsEach) {
            List<Part> solution = new ArrayList<>(Collections.nCopies(parts, Part.EMPTY));
            for (int i = 0; i < itemsEach; i++) {
                int item = lightestFirst.get(first + i);
                solution.set(i, new Part(List.of(item), weights[item]));
            }
            solution.sort(BY_SUM.reversed());
            solutions.add(solution);
        }
        return solutions;
    }

    private static List<List<Integer>> merged(PriorityQueue<List<Part>> solutions) {
        while (solutions.size() > 1) {
            List<Part> first = solutions.remove();
            List<Part> second = solutions.remove();
            List<Part> merged = new ArrayList<>();
            for (int i = 0; i < first.size(); i++) {
                merged.add(first.get(i).with(second.get(first.size() - 1 - i)));
            }
            merged.sort(BY_SUM.reversed());
            solutions.add(merged);
        }
        return solutions.remove().stream()
                .map(part -> part.items().stream().sorted().toList())
                .toList();
    }

    private static double spread(List<Part> solution) {
        return solution.getFirst().sum() - solution.getLast().sum();
    }

    private static int lexicographically(List<Integer> left, List<Integer> right) {
        for (int i = 0; i < left.size(); i++) {
            int order = left.get(i).compareTo(right.get(i));
            if (order != 0) {
                return order;
            }
        }
        return 0;
    }
}
