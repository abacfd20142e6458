package dev.sluice.cpu.engine;

import dev.sluice.cpu.model.ModelConfig;
import dev.sluice.cpu.model.Tensors;
import java.util.ArrayList;
import java.util.List;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/**
 * Drafts a chain of tokens for each running sequence with the model's own multi-token-prediction layer (EAGLE, one chain):
 * always the most probable token, or one drawn from the layer's own law under the request's parameters.
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
    private final boolean drawn;
    /** The layer's hidden state behind each row's first draft, [rows, H]. */
    private final Tensor hidden;

    private final long[] firstDrafts;
    private final Law[] firstLaws;

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
        this.cache =
                new LatentCache(1, rows, forward.positions(), config.attention().cacheWidth());
        this.firstDrafts = new long[rows];
        this.firstLaws = new Law[rows];
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
     * @param sequences those of the window's rows
     */
    void extend(Window window, Tensor targetHidden, long[] picks, List<Sequence> sequences) {
        Forward.Drafted drafted = forward.draft(window, targetHidden, picks, cache);
        hidden.narrow(0, window.firstRow(), window.rows()).copy_(drafted.hidden());
        System.arraycopy(drafted.tokens(), 0, firstDrafts, window.firstRow(), window.rows());
        for (int i = 0; drawn && i < sequences.size(); i++) {
            Law law = drafted.law(i, sequences.get(i).request().sampling().law());
            firstLaws[window.firstRow() + i] = law;
            firstDrafts[window.firstRow() + i] = sequences.get(i).drawDraft(law, 0);
        }
    }

    /**
     * Drafts a chain for each sequence; row r belongs to sequence r.
     *
     * @return for each row its chain
     */
    List<Chain> propose(List<Sequence> sequences) {
        int rows = sequences.size();
        List<Chain> chains = new ArrayList<>();
        long[] picks = new long[rows];
        for (int row = 0; row < rows; row++) {
            chains.add(new Chain(new long[steps], new ArrayList<>()));
            chains.get(row).tokens()[0] = firstDrafts[row];
            if (drawn) {
                chains.get(row).laws().add(firstLaws[row]);
            }
            picks[row] = row;
        }
        Tensor previous = hidden.narrow(0, 0, rows).unsqueeze(1);
        for (int step = 1; step < steps; step++) {
            Window window = Window.of(0, rows, 1);
            for (int row = 0; row < rows; row++) {
                int root = sequences.get(row).length() - 1;
                window.set(row, 0, Math.toIntExact(chains.get(row).tokens()[step - 1]), root - 1 + step);
            }
            Forward.Drafted drafted = forward.draft(window, previous, picks, cache);
            for (int row = 0; row < rows; row++) {
                Chain chain = chains.get(row);
                chain.tokens()[step] = drafted.tokens()[row];
                if (drawn) {
                    Sequence sequence = sequences.get(row);
                    Law law = drafted.law(row, sequence.request().sampling().law());
                    chain.laws().add(law);
                    chain.tokens()[step] = sequence.drawDraft(law, step);
                }
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
        firstLaws[to] = firstLaws[from];
    }

    @Override
    public void close() {
        cache.close();
        hidden.close();
    }
}
