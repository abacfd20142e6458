package dev.sluice.domain.batching;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.OptionalInt;
import java.util.stream.IntStream;

/**
 * Samples into micro-batches, by their lengths in tokens. Samples are named by their place.
 *
 * @see <a href="https://github.com/THUDM/slime/blob/main/slime/utils/seqlen_balancing.py">slime's seqlen_balancing</a>
 */
final class Packing {
    private Packing() {}

    /** Each sample into the first micro-batch that has room; one that is longer than all room stands alone. */
    static List<List<Integer>> firstFit(int[] lengths, long room) {
        List<List<Integer>> bins = new ArrayList<>();
        List<Long> sums = new ArrayList<>();
        for (int sample = 0; sample < lengths.length; sample++) {
            int length = lengths[sample];
            OptionalInt fit = IntStream.range(0, bins.size())
                    .filter(bin -> sums.get(bin) + length <= room)
                    .findFirst();
            if (fit.isPresent()) {
                bins.get(fit.getAsInt()).add(sample);
                sums.set(fit.getAsInt(), sums.get(fit.getAsInt()) + length);
            } else {
                bins.add(new ArrayList<>(List.of(sample)));
                sums.add((long) length);
            }
        }
        return bins;
    }

    /** So many samples each, the last one fewer. */
    static List<List<Integer>> bySamples(int samples, int each) {
        List<List<Integer>> bins = new ArrayList<>();
        for (int first = 0; first < samples; first += each) {
            bins.add(IntStream.range(first, Math.min(samples, first + each))
                    .boxed()
                    .toList());
        }
        return bins;
    }

    /**
     * Micro-batches with about equal work, as few as the room allows. slime lets them grow beyond it and warns of memory; here
     * those that would are split.
     */
    static List<List<Integer>> byWork(int[] lengths, long room, SampleWork work) {
        long tokens = total(lengths);
        long fewest = Math.max(1, Math.ceilDiv(tokens, room));
        if (fewest >= lengths.length) {
            return bySamples(lengths.length, 1);
        }
        List<List<Integer>> bins =
                new ArrayList<>(KarmarkarKarp.partition(weights(lengths, work), Math.toIntExact(fewest)));
        for (int bin = 0; bin < bins.size(); bin++) {
            while (bins.get(bin).size() > 1 && tokensOf(bins.get(bin), lengths) > room) {
                split(bins, bin, lengths);
            }
        }
        return bins;
    }

    /** Splits the largest micro-batch of several samples until there are so many, or none has several any more. */
    static List<List<Integer>> grow(List<List<Integer>> bins, int count, int[] lengths) {
        List<List<Integer>> grown = new ArrayList<>(bins);
        while (grown.size() < count) {
            OptionalInt largest = IntStream.range(0, grown.size())
                    .filter(bin -> grown.get(bin).size() > 1)
                    .boxed()
                    .max(Comparator.<Integer>comparingLong(bin -> tokensOf(grown.get(bin), lengths))
                            .thenComparingInt(bin -> bin))
                    .stream()
                    .mapToInt(Integer::intValue)
                    .findFirst();
            if (largest.isEmpty()) {
                break;
            }
            split(grown, largest.getAsInt(), lengths);
        }
        return grown;
    }

    /** Puts the two smallest micro-batches together until there are so few. */
    static List<List<Integer>> merge(List<List<Integer>> bins, int count, int[] lengths) {
        List<List<Integer>> merged = new ArrayList<>(bins);
        while (merged.size() > count) {
            List<List<Integer>> smallest = merged.stream()
                    .sorted(Comparator.comparingLong(bin -> tokensOf(bin, lengths)))
                    .limit(2)
                    .toList();
            merged.removeAll(smallest);
            merged.add(smallest.stream().flatMap(List::stream).sorted().toList());
        }
        return merged;
    }

    /** In two of about equal tokens: the longest sample first, each to the smaller half. The second half becomes the last bin. */
    private static void split(List<List<Integer>> bins, int bin, int[] lengths) {
        List<Integer> left = new ArrayList<>();
        List<Integer> right = new ArrayList<>();
        long balance = 0;
        List<Integer> longestFirst = bins.get(bin).stream()
                .sorted(Comparator.comparingInt(sample -> -lengths[sample]))
                .toList();
        for (int sample : longestFirst) {
            (balance <= 0 ? left : right).add(sample);
            balance += balance <= 0 ? lengths[sample] : -lengths[sample];
        }
        bins.set(bin, left);
        bins.add(right);
    }

    static double[] weights(int[] lengths, SampleWork work) {
        return IntStream.of(lengths).mapToDouble(work::of).toArray();
    }

    private static long total(int[] lengths) {
        return IntStream.of(lengths).asLongStream().sum();
    }

    private static long tokensOf(List<Integer> bin, int[] lengths) {
        return bin.stream().mapToLong(sample -> lengths[sample]).sum();
    }
}
