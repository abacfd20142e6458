package dev.sluice.domain.training;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.stream.IntStream;

/**
 * The order of prompts: cursor 0, 1, 2, ... runs through all rows again and again. With shuffling each pass is a permutation
 * of its own: Fisher and Yates' method from the last row down, drawing from {@link SplitMix64} seeded by (seed, pass). The
 * same seed gives the same order for ever, so a cursor is all that a cut has to keep.
 */
public final class PromptOrder {
    /** Groups of two passes are in flight where they meet; one more for groups that are asked for again. */
    private static final int PASSES_KEPT = 3;

    private final int rows;
    private final boolean shuffle;
    private final long seed;
    private final Map<Long, int[]> passes = new LinkedHashMap<>();

    /** @throws IllegalArgumentException without rows */
    public PromptOrder(int rows, boolean shuffle, long seed) {
        if (rows < 1) {
            throw new IllegalArgumentException("there is no prompt to train on; see data.prompts");
        }
        this.rows = rows;
        this.shuffle = shuffle;
        this.seed = seed;
    }

    /** The row, from 0, at a place in the sequence. */
    public int row(long cursor) {
        if (cursor < 0) {
            throw new IllegalArgumentException("cursor " + cursor + " is no place in the prompt sequence");
        }
        int place = (int) (cursor % rows);
        return shuffle ? permutation(cursor / rows)[place] : place;
    }

    /** The seed of a group's sampling: of its place and round, never of the attempt, so that a repeated attempt repeats it. */
    public long samplingSeed(long cursor, int round) {
        return SplitMix64.mix(seed, cursor, round) & Long.MAX_VALUE;
    }

    private synchronized int[] permutation(long pass) {
        int[] known = passes.get(pass);
        if (known == null) {
            known = shuffled(pass);
            passes.put(pass, known);
            if (passes.size() > PASSES_KEPT) {
                passes.remove(passes.keySet().iterator().next());
            }
        }
        return known;
    }

    private int[] shuffled(long pass) {
        int[] order = IntStream.range(0, rows).toArray();
        SplitMix64 random = new SplitMix64(SplitMix64.mix(seed, pass));
        for (int i = rows - 1; i > 0; i--) {
            int j = random.below(i + 1);
            int swapped = order[i];
            order[i] = order[j];
            order[j] = swapped;
        }
        return order;
    }
}
