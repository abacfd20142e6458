package dev.sluice.cpu.engine;

import dev.sluice.cpu.engine.Prefill.Continuation;
import dev.sluice.cpu.model.ModelConfig;
import dev.sluice.cpu.model.Weights;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.NoGradGuard;
import org.jspecify.annotations.Nullable;

/**
 * The running sequences and the passes that advance them. Sequence i owns row i of the caches; when one leaves, the last takes
 * its row. Used by one thread.
 */
@SuppressWarnings("try") // scopes and guards work by being open
final class Generator implements AutoCloseable {
    /** Tokens that one prefill pass computes at most, padding included; bounds its memory. */
    private static final int PREFILL_TOKENS = 4096;

    /**
     * How a generator works.
     *
     * @param rows sequences that run at once
     * @param contextLength tokens of a sequence at most, prompt and output
     * @param prefillChunk positions of a prompt that are computed at once
     * @param draftSteps drafted tokens a verification; 0 for plain decoding
     * @param drawsDrafts whether drafts are drawn from the drafting layer's law, instead of its most probable tokens
     */
    record Settings(int rows, int contextLength, int prefillChunk, int draftSteps, boolean drawsDrafts) {}

    private final Settings settings;
    private final Forward forward;
    private final LatentCache cache;
    private final @Nullable Drafts drafts;
    private final Prefill prefill;
    private final List<Sequence> running = new ArrayList<>();
    private Counts counts = Counts.ZERO;

    Generator(Weights weights, Settings settings) {
        ModelConfig config = weights.config();
        this.settings = settings;
        // A chain may be verified beyond the last position that is kept.
        int positions = settings.contextLength() + settings.draftSteps() + 1;
        this.forward = new Forward(weights, positions);
        this.cache = new LatentCache(
                config.layers(), settings.rows(), positions, config.attention().cacheWidth());
        this.drafts = settings.draftSteps() == 0
                ? null
                : new Drafts(forward, settings.rows(), settings.draftSteps(), settings.drawsDrafts());
        this.prefill = new Prefill(forward, cache, drafts, Math.min(settings.prefillChunk(), PREFILL_TOKENS));
    }

    Counts counts() {
        return counts;
    }

    void resetCounts() {
        counts = Counts.ZERO;
    }

    List<Sequence> running() {
        return List.copyOf(running);
    }

    /** Sequences that can run at once. */
    int rows() {
        return settings.rows();
    }

    int free() {
        return settings.rows() - running.size();
    }

    boolean isIdle() {
        return running.isEmpty();
    }

    /** Tokens whose cache is kept. */
    int usedTokens() {
        return running.stream().mapToInt(Sequence::length).sum();
    }

    /** Bytes of all caches. */
    long cacheBytes() {
        return cache.bytes() + (drafts == null ? 0 : drafts.bytes());
    }

    /**
     * Takes sequences in, computes their caches and samples the first token of each. Sequences with equal tokens are computed
     * once.
     *
     * @param fresh at most as many as rows are free
     * @return those that are finished by it, already removed
     */
    List<Sequence> admit(List<Sequence> fresh) {
        PrefillGroups groups = PrefillGroups.of(fresh);
        int firstRow = running.size();
        running.addAll(groups.ordered());
        try (NoGradGuard noGrad = new NoGradGuard();
                PointerScope scope = new PointerScope()) {
            Map<Sequence, Continuation> continuations = computeLeaders(firstRow, groups.leaders());
            for (int row = firstRow + groups.leaders().size(); row < running.size(); row++) {
                Sequence follower = running.get(row);
                int leaderRow = running.indexOf(groups.leaderOf(follower));
                cache.copy(leaderRow, row, follower.length());
                if (drafts != null) {
                    drafts.share(leaderRow, row, follower.length());
                }
            }
            List<Continuation> ofRows = groups.ordered().stream()
                    .map(sequence -> continuations.get(groups.leaderOf(sequence)))
                    .toList();
            begin(firstRow, ofRows, groups.leaders().size());
        }
        return removeFinished();
    }

    /**
     * Advances every running sequence: by one token, or by what a verification emits.
     *
     * @return those that are finished by it, already removed
     */
    List<Sequence> step() {
        try (NoGradGuard noGrad = new NoGradGuard();
                PointerScope scope = new PointerScope()) {
            if (drafts == null) {
                decode();
            } else {
                verify(drafts);
            }
        }
        return removeFinished();
    }

    /** Drops sequences, finished or not; their rows are free then. */
    void remove(List<Sequence> leaving) {
        for (Sequence sequence : leaving) {
            int row = running.indexOf(sequence);
            int last = running.size() - 1;
            Sequence moved = running.remove(last);
            if (row != last) {
                running.set(row, moved);
                cache.copy(last, row, moved.length());
                if (drafts != null) {
                    drafts.move(last, row, moved.length());
                }
            }
        }
    }

    private Map<Sequence, Continuation> computeLeaders(int firstRow, List<Sequence> leaders) {
        Map<Sequence, Continuation> continuations = new HashMap<>();
        int start = 0;
        while (start < leaders.size()) {
            int end = start + 1;
            int width = chunk(leaders.get(start));
            while (end < leaders.size()
                    && (end + 1 - start) * Math.max(width, chunk(leaders.get(end))) <= PREFILL_TOKENS) {
                width = Math.max(width, chunk(leaders.get(end)));
                end++;
            }
            List<Sequence> together = leaders.subList(start, end);
            Continuation[] computed = prefill.compute(firstRow + start, together);
            for (int i = 0; i < computed.length; i++) {
                continuations.put(together.get(i), computed[i]);
            }
            start = end;
        }
        return continuations;
    }

    private int chunk(Sequence sequence) {
        return Math.min(sequence.length(), settings.prefillChunk());
    }

    private void begin(int firstRow, List<Continuation> continuations, int leaders) {
        int rows = continuations.size();
        Window window = Window.of(firstRow, rows, 1);
        long[] picks = new long[rows];
        for (int i = 0; i < rows; i++) {
            Sequence sequence = running.get(firstRow + i);
            int lastPosition = sequence.length() - 1;
            // SGLang always computes a prompt's last token itself, however much of it is cached.
            int shared = i < leaders ? 0 : lastPosition;
            if (!sequence.hasRun()) {
                counts = counts.plus(new Counts(sequence.length(), shared, 0, 0, 0));
            }
            sequence.started(shared);
            if (!sequence.isFinished()) {
                Continuation continuation = continuations.get(i);
                sequence.sample(continuation.distributions(), continuation.row());
                counts = counts.plus(new Counts(0, 0, 1, 0, 0));
            }
            window.set(i, 0, sequence.lastToken(), lastPosition);
            picks[i] = i;
        }
        if (drafts != null) {
            drafts.extend(window, Prefill.hidden(continuations), picks, running.subList(firstRow, firstRow + rows));
        }
    }

    private void decode() {
        int rows = running.size();
        Window window = Window.of(0, rows, 1);
        long[] picks = new long[rows];
        for (int row = 0; row < rows; row++) {
            Sequence sequence = running.get(row);
            window.set(row, 0, sequence.lastToken(), sequence.length() - 1);
            picks[row] = row;
        }
        Forward.Decoded decoded = forward.target(window, picks, temperatures(1), cache);
        for (int row = 0; row < rows; row++) {
            decoded.adjust(row, running.get(row));
            running.get(row).sample(decoded.distributions(), row);
        }
        counts = counts.plus(new Counts(0, 0, rows, 0, 0));
    }

    private void verify(Drafts chains) {
        int rows = running.size();
        int width = chains.steps() + 1;
        List<Drafts.Chain> proposed = chains.propose(running);
        Window window = Window.of(0, rows, width);
        long[] picks = new long[rows * width];
        for (int row = 0; row < rows; row++) {
            Sequence sequence = running.get(row);
            int root = sequence.length() - 1;
            window.set(row, 0, sequence.lastToken(), root);
            for (int k = 1; k < width; k++) {
                window.set(row, k, Math.toIntExact(proposed.get(row).tokens()[k - 1]), root + k);
            }
            for (int k = 0; k < width; k++) {
                picks[row * width + k] = window.flat(row, k);
            }
        }
        Forward.Decoded decoded = forward.target(window, picks, temperatures(width), cache);
        Window verified = new Window(0, rows, width, new long[rows * width], window.positions());
        long[] last = new long[rows];
        for (int row = 0; row < rows; row++) {
            Sequence sequence = running.get(row);
            // As in SGLang, every place of the chain is adjusted by what the output holds before it.
            for (int k = 0; k < width; k++) {
                decoded.adjust(row * width + k, sequence);
            }
            int before = sequence.length();
            Verification verification = sequence.verify(decoded.distributions(), row * width, proposed.get(row));
            counts = counts.plus(new Counts(0, 0, sequence.length() - before, 1, verification.acceptedDrafts()));
            for (int k = 0; k < verification.tokens().length; k++) {
                verified.ids()[verified.flat(row, k)] = verification.tokens()[k];
            }
            last[row] = verified.flat(row, verification.acceptedDrafts());
        }
        chains.extend(verified, decoded.hidden(), last, running);
    }

    private float[] temperatures(int perRow) {
        float[] temperatures = new float[running.size() * perRow];
        for (int i = 0; i < temperatures.length; i++) {
            temperatures[i] =
                    (float) running.get(i / perRow).request().sampling().law().temperature();
        }
        return temperatures;
    }

    private List<Sequence> removeFinished() {
        List<Sequence> finished = running.stream().filter(Sequence::isFinished).toList();
        remove(finished);
        return finished;
    }

    @Override
    public void close() {
        if (drafts != null) {
            drafts.close();
        }
        cache.close();
        forward.close();
    }
}
