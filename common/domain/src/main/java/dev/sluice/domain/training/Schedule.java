package dev.sluice.domain.training;

import dev.sluice.domain.batching.MicroBatches;
import java.util.ArrayList;
import java.util.List;

/**
 * Which optimizer step, data-parallel rank and micro-batch each sample belongs to. Mini-batches are whole groups in order; where
 * the groups do not divide, some have one more, and none is left out.
 */
final class Schedule {
    private Schedule() {}

    static void fill(BatchRows rows, int groups, BatchRules rules) {
        int steps = Math.min(rules.optimizerSteps(), groups);
        for (int step = 0; step < steps; step++) {
            List<Integer> ofStep = new ArrayList<>();
            for (int row = 0; row < rows.samples(); row++) {
                if ((long) rows.groups()[row] * steps / groups == step) {
                    ofStep.add(row);
                }
            }
            int[] lengths = ofStep.stream().mapToInt(rows::length).toArray();
            List<List<List<Integer>>> byRank =
                    MicroBatches.of(lengths, rules.microBatches()).byRank();
            for (int rank = 0; rank < byRank.size(); rank++) {
                for (int micro = 0; micro < byRank.get(rank).size(); micro++) {
                    for (int place : byRank.get(rank).get(micro)) {
                        rows.place(ofStep.get(place), step, rank, micro);
                    }
                }
            }
        }
    }
}
