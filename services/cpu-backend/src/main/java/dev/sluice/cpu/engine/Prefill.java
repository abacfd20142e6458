package dev.sluice.cpu.engine;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;

/**
 * Computes the cache of whole sequences, neighbouring rows together, in chunks of positions so that memory stays bounded.
 * Shorter rows are padded at their end.
 */
final class Prefill {
    private final Forward forward;
    private final LatentCache cache;
    private final int chunkLength;

    Prefill(Forward forward, LatentCache cache, int chunkLength) {
        this.forward = forward;
        this.cache = cache;
        this.chunkLength = chunkLength;
    }

    /**
     * What follows a sequence's last token.
     *
     * @param distributions holds the distribution of the next token in this row
     * @param hidden the target's hidden state at the last token, [H]
     */
    record Continuation(Distributions distributions, int row, Tensor hidden) {}

    /**
     * What was computed of neighbouring rows at neighbouring positions.
     *
     * @param hidden the target's hidden states, [rows, length, H]
     * @param sequences those of the window's rows
     */
    record Pass(Window window, Tensor hidden, List<Sequence> sequences) {}

    /**
     * What was computed of whole sequences.
     *
     * @param continuations one a sequence
     * @param passes in the order of positions
     */
    record Computed(List<Continuation> continuations, List<Pass> passes) {}

    /** Computes sequences into the rows from {@code firstRow} on; results live in the caller's scope. */
    Computed compute(int firstRow, List<Sequence> sequences) {
        List<Pass> passes = new ArrayList<>();
        Continuation[] continuations = new Continuation[sequences.size()];
        int longest = sequences.stream().mapToInt(Sequence::length).max().orElse(0);
        for (int start = 0; start < longest; start += chunkLength) {
            Chunk chunk = new Chunk(sequences, firstRow, start, Math.min(chunkLength, longest - start));
            Forward.Decoded decoded = forward.target(chunk.window, chunk.picks(), chunk.temperatures(), cache);
            passes.add(new Pass(chunk.window, decoded.hidden(), sequences));
            chunk.deliver(decoded, continuations);
        }
        return new Computed(List.of(continuations), passes);
    }

    /** Hidden states of continuations as the rows of one tensor, [rows, 1, H]. */
    static Tensor hidden(List<Continuation> continuations) {
        Tensor[] rows = continuations.stream().map(Continuation::hidden).toArray(Tensor[]::new);
        return torch.stack(new TensorVector(rows)).unsqueeze(1);
    }

    /** Positions {@code start} to {@code start + length - 1} of every sequence, and which of them are wanted. */
    private static final class Chunk {
        private final List<Sequence> sequences;
        private final int start;
        private final int length;
        private final Window window;
        private final IntList picks = new IntList();
        private final IntList pickRows = new IntList();

        Chunk(List<Sequence> sequences, int firstRow, int start, int length) {
            this.sequences = sequences;
            this.start = start;
            this.length = length;
            this.window = Window.of(firstRow, sequences.size(), length);
            for (int row = 0; row < sequences.size(); row++) {
                fill(row, sequences.get(row));
            }
        }

        private void fill(int row, Sequence sequence) {
            int last = sequence.length() - 1;
            int wantedFrom = sequence.request().logprobs().promptFrom();
            for (int column = 0; column < length; column++) {
                int position = start + column;
                window.set(row, column, position <= last ? sequence.token(position) : 0, position);
                // The distribution at a position says how probable the token after it was.
                boolean asked = wantedFrom >= 0 && position + 1 >= wantedFrom && position < last;
                if (position == last || asked) {
                    picks.add(window.flat(row, column));
                    pickRows.add(row);
                }
            }
        }

        /** Places whose distribution is wanted; at least one, because an empty pass has no shape. */
        long[] picks() {
            return picks.isEmpty() ? new long[] {0} : picks.toLongs();
        }

        float[] temperatures() {
            float[] temperatures = new float[Math.max(1, picks.size())];
            Arrays.fill(temperatures, 1);
            for (int i = 0; i < picks.size(); i++) {
                Sequence sequence = sequences.get(pickRows.get(i));
                if (positionOf(i) == sequence.length() - 1) {
                    temperatures[i] =
                            (float) sequence.request().sampling().law().temperature();
                }
            }
            return temperatures;
        }

        void deliver(Forward.Decoded decoded, Continuation[] continuations) {
            for (int i = 0; i < picks.size(); i++) {
                int row = pickRows.get(i);
                Sequence sequence = sequences.get(row);
                int position = positionOf(i);
                if (position == sequence.length() - 1) {
                    decoded.adjust(i, sequence);
                    Tensor hidden = decoded.hidden().select(0, row).select(0, position - start);
                    continuations[row] = new Continuation(decoded.distributions(), i, hidden);
                } else if (!sequence.hasRun()) {
                    int next = position + 1;
                    sequence.promptLogprob(
                            next, (double) decoded.distributions().logprob(i, sequence.token(next)));
                }
            }
        }

        private int positionOf(int pick) {
            return start + picks.get(pick) % length;
        }
    }
}
