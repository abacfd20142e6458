package dev.sluice.cpu.engine;

import dev.sluice.cpu.model.ModelConfig;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.bytedeco.pytorch.Tensor;

/**
 * Drafts a chain of tokens for each running sequence with the model's own multi-token-prediction layer (EAGLE, one chain):
 * always the most probable token, or one drawn from the layer's own law under the request's parameters.
 *
 * <p>The layer's cache holds, for a sequence of n tokens, the pairs (token i + 1, target's hidden state at i) of i up to
 * n - 2; those that came from drafting are written again with true hidden states once the target has verified.
 *
 * @see <a href="https://arxiv.org/abs/2401.15077">EAGLE: speculative sampling requires rethinking feature uncertainty</a>
 */
final class Drafts implements AutoCloseable {
    private final Forward forward;
    private final LatentCache cache;
    private final int steps;
    private final boolean drawn;
    /** What was last drafted for each row. */
    private final Chain[] chains;

    /**
     * Drafted tokens of one sequence.
     *
     * @param laws what each token was drawn from; empty where each is the most probable one
     */
    @SuppressWarnings("ArrayRecordComponent")
    record Chain(long[] tokens, List<Law> laws) {

        /** Always the most probable tokens. */
        static Chain certain(long... tokens) {
            return new Chain(tokens, List.of());
        }

        Law law(int place) {
            return laws.isEmpty() ? new Law.Certain(Math.toIntExact(tokens[place])) : laws.get(place);
        }
    }

    /**
     * Room for drafts.
     *
     * @param rows of the target's cache
     * @param steps drafted tokens a chain, at least 1
     * @param drawn whether tokens are drawn from the layer's law
     */
    Drafts(Forward forward, int rows, int steps, boolean drawn) {
        ModelConfig config = forward.config();
        this.forward = forward;
        this.steps = steps;
        this.drawn = drawn;
        this.cache = new LatentCache(
                forward.type(), 1, rows, forward.positions(), config.attention().cacheWidth());
        this.chains = new Chain[rows];
    }

    int steps() {
        return steps;
    }

    long bytes() {
        return cache.bytes();
    }

    /**
     * Takes in what the target has just computed, now that it is known which tokens follow, and drafts a chain for each row.
     *
     * @param window the target's
     * @param targetHidden the target's hidden states at its places, [rows, length, H]
     * @param sequences those of the window's rows; of a row that ends beyond the window only the cache is of use
     */
    void extend(Window window, Tensor targetHidden, List<Sequence> sequences) {
        if (sequences.stream().allMatch(Sequence::isFinished)) {
            return;
        }
        Window verified = Window.of(window.firstRow(), window.rows(), window.length());
        long[] picks = new long[window.rows()];
        for (int row = 0; row < window.rows(); row++) {
            Sequence sequence = sequences.get(row);
            int start = window.start(row);
            for (int column = 0; column < window.length(); column++) {
                int next = start + column + 1;
                verified.set(row, column, next < sequence.length() ? sequence.token(next) : 0, start + column);
            }
            // Clamped where a row has ended before the window or goes on after it: what is drafted there overwrites
            // nothing of use.
            picks[row] = window.flat(row, Math.clamp(lastPair(sequence) - start, 0, window.length() - 1));
        }
        Forward.Drafted drafted = forward.draft(verified, targetHidden, picks, drawn ? 1 : steps, cache);
        List<Chain> drafts = drawn ? draw(verified, picks, drafted, sequences) : mostProbable(drafted);
        for (int row = 0; row < window.rows(); row++) {
            if (lastPair(sequences.get(row)) >= window.start(row)) {
                chains[window.firstRow() + row] = drafts.get(row);
            }
        }
    }

    /** Where the cache of a sequence ends: at its last token but one. */
    private static int lastPair(Sequence sequence) {
        return sequence.length() - 2;
    }

    private List<Chain> mostProbable(Forward.Drafted drafted) {
        List<Chain> drafts = new ArrayList<>();
        for (int end = steps; end <= drafted.tokens().length; end += steps) {
            drafts.add(Chain.certain(Arrays.copyOfRange(drafted.tokens(), end - steps, end)));
        }
        return drafts;
    }

    private List<Chain> draw(Window window, long[] picks, Forward.Drafted first, List<Sequence> sequences) {
        int rows = window.rows();
        List<Chain> drafts = new ArrayList<>();
        long[] everyRow = new long[rows];
        for (int row = 0; row < rows; row++) {
            drafts.add(new Chain(new long[steps], new ArrayList<>()));
            everyRow[row] = row;
        }
        Forward.Drafted drafted = first;
        for (int step = 0; step < steps; step++) {
            Window next = Window.of(window.firstRow(), rows, 1);
            for (int row = 0; row < rows; row++) {
                Sequence sequence = sequences.get(row);
                Law law = drafted.law(row, sequence.request().sampling().law());
                int token = sequence.drawDraft(law, step);
                drafts.get(row).laws().add(law);
                drafts.get(row).tokens()[step] = token;
                int place = Math.toIntExact(window.positions()[Math.toIntExact(picks[row])]);
                next.set(row, 0, token, place + step + 1);
            }
            if (step + 1 < steps) {
                drafted = forward.draft(next, drafted.hidden().unsqueeze(1), everyRow, 1, cache);
            }
        }
        return drafts;
    }

    /** What was last drafted for the sequence of a row. */
    Chain chain(int row) {
        return chains[row];
    }

    /** Copies a prompt's cache to the row of a sequence that shares it. */
    void share(int from, int to, int length) {
        cache.copy(from, to, length);
    }

    /** Copies everything of a row to another. */
    void move(int from, int to, int length) {
        cache.copy(from, to, length);
        chains[to] = chains[from];
    }

    @Override
    public void close() {
        cache.close();
    }
}
