package dev.sluice.domain.candidate;

import org.jspecify.annotations.Nullable;

/**
 * How Megatron trains.
 *
 * @param layout parallel sizes
 * @param tokensPerGpu tokens a GPU takes in one micro-batch ({@code max_tokens_per_gpu}) [T]; 0 where not given
 * @param sequenceParallel whether activations between tensor-parallel regions are split too
 * @param recompute which activations are computed again in the backward pass
 * @param optimizer where Adam's state lies and in what precision
 * @param dispatcher how tokens reach experts on other GPUs
 * @param deepEp whether the flex dispatcher uses DeepEP's kernels
 * @param mtpTrained whether the MTP layer is trained
 * @param flags Megatron's further flags
 */
public record TrainingSide(
        Layout layout,
        int tokensPerGpu,
        boolean sequenceParallel,
        Recompute recompute,
        Optimizer optimizer,
        Dispatcher dispatcher,
        boolean deepEp,
        boolean mtpTrained,
        Flags flags) {

    /**
     * Parallel sizes.
     *
     * @param tp tensor parallel
     * @param pp pipeline parallel
     * @param cp context parallel
     * @param ep expert parallel
     * @param etp expert tensor parallel
     * @param firstStageLayers layers of the first pipeline stage where stages are uneven
     * @param lastStageLayers layers of the last pipeline stage where stages are uneven
     */
    public record Layout(
            int tp,
            int pp,
            int cp,
            int ep,
            int etp,
            @Nullable Integer firstStageLayers,
            @Nullable Integer lastStageLayers) {
        /** Data-parallel size over this many GPUs, at least 1. */
        public int dp(int gpus) {
            return Math.max(1, gpus / (tp * pp * cp));
        }

        /** Data-parallel size of the experts over this many GPUs, at least 1. */
        public int edp(int gpus) {
            return Math.max(1, gpus / (etp * ep * pp));
        }

        @Override
        public String toString() {
            return "TP%d PP%d CP%d EP%d ETP%d".formatted(tp, pp, cp, ep, etp);
        }
    }

    /** Which activations are computed again. */
    public enum Recompute {
        NONE,
        SELECTIVE,
        FULL
    }

    /**
     * Adam.
     *
     * @param offloadFraction share of the optimizer's state in host memory, 0 to 1
     * @param precisionAware whether Transformer Engine's precision-aware Adam is used
     */
    public record Optimizer(double offloadFraction, boolean precisionAware) {
        public static final Optimizer GPU = new Optimizer(0, false);
        public static final Optimizer PRECISION_AWARE = new Optimizer(0, true);
        public static final Optimizer CPU = new Optimizer(1, true);
    }

    /** How tokens reach experts. */
    public enum Dispatcher {
        ALLGATHER,
        ALLTOALL,
        FLEX
    }

    public TrainingSide with(Layout other) {
        return new TrainingSide(
                other, tokensPerGpu, sequenceParallel, recompute, optimizer, dispatcher, deepEp, mtpTrained, flags);
    }

    /** Another layout with what belongs to it; sequence parallelism goes with tensor parallelism. */
    public TrainingSide with(Layout other, int tokens, Recompute again, Optimizer adam) {
        return new TrainingSide(other, tokens, other.tp() > 1, again, adam, dispatcher, deepEp, mtpTrained, flags);
    }

    public TrainingSide with(Flags other) {
        return new TrainingSide(
                layout, tokensPerGpu, sequenceParallel, recompute, optimizer, dispatcher, deepEp, mtpTrained, other);
    }
}
