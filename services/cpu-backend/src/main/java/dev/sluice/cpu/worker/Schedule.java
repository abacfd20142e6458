package dev.sluice.cpu.worker;

import dev.sluice.workerapi.Batch;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;

/** The order of a batch's work: optimizer steps, each of micro-batches, each of samples. */
final class Schedule {
    /**
     * Tokens, padding included, that are computed together. A larger micro-batch is cut: the sums are the same, and the
     * working set of a small model stays near the processor (measured: 128 rows of 15 tokens are fastest).
     */
    private static final int SLICE_TOKENS = 2048;

    private Schedule() {}

    /** Samples of one forward and backward. */
    record Slice(List<Integer> samples) {
        Slice {
            samples = List.copyOf(samples);
        }
    }

    /** An optimizer step's slices in order. */
    static List<List<Slice>> of(Batch batch) {
        TreeMap<Integer, TreeMap<Long, List<Integer>>> steps = new TreeMap<>();
        for (int sample = 0; sample < batch.samples(); sample++) {
            TreeMap<Long, List<Integer>> microBatches =
                    steps.computeIfAbsent(batch.optimizerStep(sample), step -> new TreeMap<>());
            // Nothing precedes the first token of a text, so one token alone is nothing to predict.
            if (batch.length(sample) > 1) {
                // This backend is one rank: it works through the micro-batches of all ranks in turn.
                long place = ((long) batch.microBatch(sample) << 32) | batch.rank(sample);
                microBatches.computeIfAbsent(place, key -> new ArrayList<>()).add(sample);
            }
        }
        List<List<Slice>> schedule = new ArrayList<>();
        for (TreeMap<Long, List<Integer>> microBatches : steps.values()) {
            List<Slice> slices = new ArrayList<>();
            microBatches.values().forEach(samples -> slices.addAll(slices(batch, samples)));
            schedule.add(slices);
        }
        return schedule;
    }

    private static List<Slice> slices(Batch batch, List<Integer> samples) {
        List<Slice> slices = new ArrayList<>();
        List<Integer> open = new ArrayList<>();
        int longest = 0;
        for (int sample : samples) {
            longest = Math.max(longest, batch.length(sample));
            if (!open.isEmpty() && longest * (open.size() + 1L) > SLICE_TOKENS) {
                slices.add(new Slice(open));
                open = new ArrayList<>();
                longest = batch.length(sample);
            }
            open.add(sample);
        }
        slices.add(new Slice(open));
        return slices;
    }
}
