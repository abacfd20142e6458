package dev.sluice.cpu.engine;

import dev.sluice.cpu.model.ModelConfig;
import dev.sluice.cpu.model.Tensors;
import java.util.List;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/**
 * Drafts a chain of tokens for each running sequence with the model's own multi-token-prediction layer (EAGLE, one chain,
 * always the most probable token).
 *
 * <p>The layer's cache holds, for a sequence of n tokens, the pairs (token i + 1, target's hidden state at i) of i up to
 * n - 2; those that came from drafting are written again with true hidden states once the target has verified.
 *
 * @see <a href="https://arxiv.org/abs/2401.15077">EAGLE: speculative sampling requires rethinking feature uncertainty</a>
 */
@SuppressWarnings("try") // scopes work by being open
final class Drafts implements AutoCloseable {
    private final Forward forward;
    private final LatentCache cache;
    private final int steps;
    /** The layer's hidden state behind each row's first draft, [rows, H]. */
    private final Tensor hidden;

    private final long[] firstDrafts;

    /**
     * Room for drafts.
     *
     * @param rows of the target's cache
     * @param steps drafted tokens a chain, at least 1
     */
    Drafts(Forward forward, int rows, int steps) {
        ModelConfig config = forward.config();
        this.forward = forward;
        this.steps = steps;
        this.cache =
                new LatentCache(1, rows, forward.positions(), config.attention().cacheWidth());
        this.firstDrafts = new long[rows];
        try (PointerScope scope = new PointerScope()) {
            this.hidden = Tensors.keep(torch.zeros(rows, config.hiddenSize()));
        }
    }

    int steps() {
        return steps;
    }

    long bytes() {
        return cache.bytes();
    }

    /**
     * Fills the cache for a part of prompts that the target has just computed.
     *
     * @param window the target's window
     * @param following the tokens one place later, row-major
     * @param targetHidden the target's hidden states, [rows, length, H]
     */
    void prefill(Window window, long[] following, Tensor targetHidden) {
        Window shifted = new Window(window.firstRow(), window.rows(), window.length(), following, window.positions());
        forward.draft(shifted, targetHidden, new long[] {0}, cache);
    }

    /**
     * Takes verified tokens with the target's hidden states before them, and drafts each row's first token.
     *
     * @param window verified tokens at the positions before their own
     * @param targetHidden the target's hidden states at those positions, [rows, length, H]
     * @param picks flat place of each row's last verified token
     */
    void extend(Window window, Tensor targetHidden, long[] picks) {
        Forward.Drafted drafted = forward.draft(window, targetHidden, picks, cache);
        hidden.narrow(0, window.firstRow(), window.rows()).copy_(drafted.hidden());
        System.arraycopy(drafted.tokens(), 0, firstDrafts, window.firstRow(), window.rows());
    }

    /**
     * Drafts a chain for each sequence; row r belongs to sequence r.
     *
     * @return for each row its chain
     */
    long[][] propose(List<Sequence> sequences) {
        int rows = sequences.size();
        long[][] chains = new long[rows][steps];
        long[] picks = new long[rows];
        for (int row = 0; row < rows; row++) {
            chains[row][0] = firstDrafts[row];
            picks[row] = row;
        }
        Tensor previous = hidden.narrow(0, 0, rows).unsqueeze(1);
        for (int step = 1; step < steps; step++) {
            Window window = Window.of(0, rows, 1);
            for (int row = 0; row < rows; row++) {
                int root = sequences.get(row).length() - 1;
                window.set(row, 0, Math.toIntExact(chains[row][step - 1]), root - 1 + step);
            }
            Forward.Drafted drafted = forward.draft(window, previous, picks, cache);
            for (int row = 0; row < rows; row++) {
                chains[row][step] = drafted.tokens()[row];
            }
            previous = drafted.hidden().unsqueeze(1);
        }
        return chains;
    }

    /** Copies a prompt's cache to the row of a sequence that shares it. */
    void share(int from, int to, int length) {
        cache.copy(from, to, length);
    }

    /** Copies everything of a row to another. */
    void move(int from, int to, int length) {
        cache.copy(from, to, length);
        try (PointerScope scope = new PointerScope()) {
            hidden.select(0, to).copy_(hidden.select(0, from));
        }
        firstDrafts[to] = firstDrafts[from];
    }

    @Override
    public void close() {
        cache.close();
        hidden.close();
    }
}
