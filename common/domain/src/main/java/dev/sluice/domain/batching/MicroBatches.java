package dev.sluice.domain.batching;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;

/**
 * The micro-batches of one optimizer step. Samples are packed first and then spread over data-parallel ranks, of which each takes
 * equally many: ranks exchange gradients, and experts tokens, at the same places.
 *
 * @param byRank for each rank its micro-batches in order, each with the places of its samples
 * @see <a href="https://github.com/THUDM/slime/blob/main/slime/utils/dp_schedule.py">slime's dp_schedule</a>
 */
public record MicroBatches(List<List<List<Integer>>> byRank) {

    /**
     * Packs and spreads samples. A micro-batch holds more than its tokens only where it is one sample, or where there are not
     * enough samples for equally many micro-batches a rank: then the shortest share one.
     *
     * @param lengths tokens of each sample, prompts included
     * @throws IllegalArgumentException if there are fewer samples than ranks: one would have no work
     */
    public static MicroBatches of(int[] lengths, MicroBatchRules rules) {
        int unit = rules.ranks() * rules.multiple();
        if (lengths.length < unit) {
            throw new IllegalArgumentException(
                    ("%d samples of an optimizer step do not fill %d micro-batches, %d for each of %d data-parallel ranks;"
                                    + " take more samples a step, or fewer optimizer steps or ranks")
                            .formatted(lengths.length, unit, rules.multiple(), rules.ranks()));
        }
        List<List<Integer>> packed = pack(lengths, rules);
        int count = Math.ceilDiv(packed.size(), unit) * unit;
        // Samples that do not divide over the ranks, each too long for another beside it: slime stops there.
        List<List<Integer>> aligned = count > lengths.length
                ? Packing.merge(packed, count - unit, lengths)
                : Packing.grow(packed, count, lengths);
        return new MicroBatches(spread(aligned, lengths, rules));
    }

    private static List<List<Integer>> pack(int[] lengths, MicroBatchRules rules) {
        Integer samples = rules.batching().microBatchSize();
        if (samples != null) {
            return Packing.bySamples(lengths.length, samples);
        }
        return rules.batching().balanceByFlops()
                ? Packing.byWork(lengths, rules.tokens(), rules.work())
                : Packing.firstFit(lengths, rules.tokens());
    }

    private static List<List<List<Integer>>> spread(
            List<List<Integer>> microBatches, int[] lengths, MicroBatchRules rules) {
        int ranks = rules.ranks();
        if (!rules.batching().balanceData() || ranks == 1) {
            return IntStream.range(0, ranks)
                    .mapToObj(rank -> everyNth(microBatches, rank, ranks))
                    .toList();
        }
        double[] work = Packing.weights(lengths, rules.work());
        double[] weights = microBatches.stream()
                .mapToDouble(samples ->
                        samples.stream().mapToDouble(sample -> work[sample]).sum())
                .toArray();
        return KarmarkarKarp.ofEqualSize(weights, ranks).stream()
                .map(chosen -> chosen.stream().map(microBatches::get).toList())
                .toList();
    }

    private static List<List<Integer>> everyNth(List<List<Integer>> microBatches, int first, int step) {
        List<List<Integer>> chosen = new ArrayList<>();
        for (int i = first; i < microBatches.size(); i += step) {
            chosen.add(microBatches.get(i));
        }
        return chosen;
    }
}
