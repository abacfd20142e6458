package dev.sluice.domain.search;

import dev.sluice.domain.candidate.Candidate;
import dev.sluice.domain.candidate.TrainingSide;
import dev.sluice.domain.candidate.TrainingSide.Layout;
import dev.sluice.domain.candidate.TrainingSide.Optimizer;
import dev.sluice.domain.candidate.TrainingSide.Recompute;
import dev.sluice.events.TrainingRequest;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/** What a search over training layouts tries: the request's values where it gives them, all sensible ones elsewhere. */
final class TrainingOptions {
    private static final int MOST_STAGES = 32;
    private static final int MOST_CONTEXT_PARALLEL = 32;
    /** More than any GPU holds; the bound keeps what a request may say within an int. */
    private static final int MOST_TOKENS = 1 << 28;

    private static final List<Integer> TOKENS = List.of(4096, 8192, 12_288, 16_384, 20_480, 32_768);
    /** Megatron pads packed rows to multiples of this (slime's data-pad-size-multiplier). */
    private static final int PADDING = 128;

    private final Candidate base;
    private final TrainingRequest.Layout given;
    private final TrainingRequest.Batching batching;

    TrainingOptions(Candidate base, TrainingRequest.Training training) {
        this.base = base;
        this.given = training.layout();
        this.batching = training.batching();
    }

    /** Whether the request leaves no parallel size open. */
    boolean fixed() {
        boolean dense = base.model().experts() == null;
        return given.tp() != null && given.pp() != null && given.cp() != null && (given.ep() != null || dense);
    }

    /** The first way of all. */
    TrainingSide first(TrainingSide side) {
        Layout layout = layouts().getFirst();
        return side.with(
                layout,
                tokens(layout.cp()).getFirst(),
                recomputes().getFirst(),
                optimizers().getFirst());
    }

    List<Layout> layouts() {
        int gpus = base.cluster().trainGpus();
        int experts = base.model().expertCount();
        List<Layout> layouts = new ArrayList<>();
        for (int tp : Divisors.givenOr(given.tp(), Divisors.of(base.cluster().gpusPerNode(), gpus))) {
            for (int pp : Divisors.givenOr(given.pp(), Divisors.of(Math.max(1, gpus / tp), MOST_STAGES))) {
                for (int cp :
                        Divisors.givenOr(given.cp(), Divisors.of(Math.max(1, gpus / tp / pp), MOST_CONTEXT_PARALLEL))) {
                    for (int ep :
                            Divisors.givenOr(given.ep(), experts == 0 ? List.of(1) : Divisors.of(experts, gpus))) {
                        for (int etp : expertTensorParallel(tp, ep)) {
                            layouts.add(split(tp, pp, cp, ep, etp));
                        }
                    }
                }
            }
        }
        return layouts;
    }

    private List<Integer> expertTensorParallel(int tp, int ep) {
        if (given.etp() != null) {
            return List.of(given.etp());
        }
        return tp == 1 || ep == 1 || base.model().experts() == null ? List.of(1) : List.of(1, tp);
    }

    /** Even stages where layers divide; else a shorter last stage, which has the output layer to compute too. */
    private Layout split(int tp, int pp, int cp, int ep, int etp) {
        Integer first = given.firstStageLayers();
        Integer last = given.lastStageLayers();
        if (first == null && last == null && given.pp() == null) {
            last = shorterLast(base.model().layers(), pp);
        }
        return new Layout(tp, pp, cp, ep, etp, first, last);
    }

    /** The largest last stage that is no longer than the others; absent where all are even or none is left. */
    static @Nullable Integer shorterLast(int layers, int stages) {
        if (stages == 1 || layers % stages == 0) {
            return null;
        }
        int each = Math.ceilDiv(layers, stages);
        int last = layers - each * (stages - 1);
        return last > 0 ? last : null;
    }

    /** Micro-batch sizes that hold the longest sample, and the smallest that does. */
    List<Integer> tokens(int cp) {
        if (given.tokensPerGpu() != null) {
            return List.of(given.tokensPerGpu());
        }
        long samples = batching.microBatchSize() == null ? 1 : batching.microBatchSize();
        int longest = padded(samples * base.workload().longestSampleTokens(), cp);
        if (batching.microBatchSize() != null) {
            return List.of(longest);
        }
        TreeSet<Integer> sizes =
                new TreeSet<>(TOKENS.stream().filter(size -> size >= longest).toList());
        if (sizes.isEmpty() || sizes.first() != longest && longest > TOKENS.getFirst()) {
            sizes.add(longest);
        }
        return List.copyOf(sizes);
    }

    private static int padded(long tokens, int cp) {
        return (int) Math.min(MOST_TOKENS, Math.ceilDiv(Math.ceilDiv(tokens, cp), PADDING) * PADDING);
    }

    List<Recompute> recomputes() {
        if (given.recompute() == null) {
            return List.of(Recompute.FULL, Recompute.NONE);
        }
        return List.of(
                switch (given.recompute()) {
                    case NONE -> Recompute.NONE;
                    case SELECTIVE -> Recompute.SELECTIVE;
                    case FULL -> Recompute.FULL;
                });
    }

    /** Whole choices; a share between them is found from what does not fit. */
    List<Optimizer> optimizers() {
        Double share = given.cpuAdam();
        Boolean precise = given.precisionAware();
        if (share != null) {
            return List.of(new Optimizer(share, precise == null ? share > 0 : precise));
        }
        if (precise != null) {
            return List.of(new Optimizer(0, precise), new Optimizer(1, precise));
        }
        return List.of(Optimizer.GPU, Optimizer.PRECISION_AWARE, Optimizer.CPU);
    }

    /** Whether a share of Adam's state may be found freely. */
    boolean fractions() {
        return given.cpuAdam() == null && !Boolean.FALSE.equals(given.precisionAware());
    }
}
