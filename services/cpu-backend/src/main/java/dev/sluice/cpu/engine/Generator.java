package dev.sluice.cpu.engine;

import dev.sluice.cpu.engine.Prefill.Computed;
import dev.sluice.cpu.engine.Prefill.Continuation;
import dev.sluice.cpu.engine.Prefill.Pass;
import dev.sluice.cpu.model.ModelConfig;
import dev.sluice.cpu.model.Weights;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.InferenceMode;
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
                weights.type(),
                config.layers(),
                settings.rows(),
                positions,
                config.attention().cacheWidth());
        this.drafts = settings.draftSteps() == 0
                ? null
                : new Drafts(forward, settings.rows(), settings.draftSteps(), settings.drawsDrafts());
        this.prefill = new Prefill(forward, cache, Math.min(settings.prefillChunk(), PREFILL_TOKENS));
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
        try (InferenceMode inference = new InferenceMode(true);
                PointerScope scope = new PointerScope()) {
            Map<Sequence, Continuation> continuations = new HashMap<>();
            List<Pass> passes = computeLeaders(firstRow, groups.leaders(), continuations);
            for (int row = firstRow + groups.leaders().size(); row < running.size(); row++) {
                Sequence follower = running.get(row);
                int leaderRow = running.indexOf(groups.leaderOf(follower));
                cache.copy(leaderRow, row, follower.length());
            }
            List<Continuation> ofRows = groups.ordered().stream()
                    .map(sequence -> continuations.get(groups.leaderOf(sequence)))
                    .toList();
            begin(firstRow, ofRows, groups.leaders().size());
            if (drafts != null) {
                passes.forEach(pass -> drafts.extend(pass.window(), pass.hidden(), pass.sequences()));
                extendFollowers(drafts, firstRow + groups.leaders().size(), groups, ofRows);
            }
        }
        return removeFinished();
    }

    /**
     * Advances every running sequence: by one token, or by what a verification emits.
     *
     * @return those that are finished by it, already removed
     */
    List<Sequence> step() {
        try (InferenceMode inference = new InferenceMode(true);
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

    private List<Pass> computeLeaders(int firstRow, List<Sequence> leaders, Map<Sequence, Continuation> continuations) {
        List<Pass> passes = new ArrayList<>();
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
            Computed computed = prefill.compute(firstRow + start, together);
            passes.addAll(computed.passes());
            for (int i = 0; i < together.size(); i++) {
                continuations.put(together.get(i), computed.continuations().get(i));
            }
            start = end;
        }
        return passes;
    }

    private int chunk(Sequence sequence) {
        return Math.min(sequence.length(), settings.prefillChunk());
    }

    private void begin(int firstRow, List<Continuation> continuations, int leaders) {
        for (int i = 0; i < continuations.size(); i++) {
            Sequence sequence = running.get(firstRow + i);
            // SGLang always computes a prompt's last token itself, however much of it is cached.
            int shared = i < leaders ? 0 : sequence.length() - 1;
            if (!sequence.hasRun()) {
                counts = counts.plus(new Counts(sequence.length(), shared, 0, 0, 0));
            }
            sequence.started(shared);
            if (!sequence.isFinished()) {
                Continuation continuation = continuations.get(i);
                sequence.sample(continuation.distributions(), continuation.row());
                counts = counts.plus(new Counts(0, 0, 1, 0, 0));
            }
        }
    }

    /** Followers have their leaders' drafting caches, but for the last place: each drew its own token after the prompt. */
    private void extendFollowers(Drafts chains, int firstRow, PrefillGroups groups, List<Continuation> continuations) {
        List<Sequence> followers = running.subList(firstRow, running.size());
        if (followers.isEmpty()) {
            return;
        }
        Window last = Window.of(firstRow, followers.size(), 1);
        for (int i = 0; i < followers.size(); i++) {
            // A request for no token at all has drawn none.
            int place = Math.max(0, followers.get(i).length() - 2);
            chains.share(running.indexOf(groups.leaderOf(followers.get(i))), firstRow + i, place);
            last.set(i, 0, 0, place);
        }
        List<Continuation> own = continuations.subList(continuations.size() - followers.size(), continuations.size());
        chains.extend(last, Prefill.hidden(own), followers);
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
        Window window = Window.of(0, rows, width);
        long[] picks = new long[rows * width];
        for (int row = 0; row < rows; row++) {
            Sequence sequence = running.get(row);
            int root = sequence.length() - 1;
            window.set(row, 0, sequence.lastToken(), root);
            for (int k = 1; k < width; k++) {
                window.set(row, k, Math.toIntExact(chains.chain(row).tokens()[k - 1]), root + k);
            }
            for (int k = 0; k < width; k++) {
                picks[row * width + k] = window.flat(row, k);
            }
        }
        Forward.Decoded decoded = forward.target(window, picks, temperatures(width), cache);
        for (int row = 0; row < rows; row++) {
            Sequence sequence = running.get(row);
            // As in SGLang, every place of the chain is adjusted by what the output holds before it.
            for (int k = 0; k < width; k++) {
                decoded.adjust(row * width + k, sequence);
            }
            int before = sequence.length();
            Verification verification = sequence.verify(decoded.distributions(), row * width, chains.chain(row));
            counts = counts.plus(new Counts(0, 0, sequence.length() - before, 1, verification.acceptedDrafts()));
        }
        chains.extend(window, decoded.hidden(), running);
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
