package dev.sluice.domain.memory;

import dev.sluice.domain.candidate.Candidate;
import dev.sluice.domain.candidate.TrainingSide;
import dev.sluice.domain.model.ModelSpec;
import dev.sluice.domain.model.ModelSpec.Experts;
import dev.sluice.domain.model.ModelSpec.GroupedQueryAttention;
import dev.sluice.domain.model.ModelSpec.LatentAttention;

/** Bytes of a layer's activations in bf16 for one micro-batch, with flash attention, which stores no scores. */
final class ActivationMemory {
    /** Tokens of the fullest expert against the mean; an assumption. */
    private static final double IMBALANCE = 1.3;
    /** Gradients of the working set beside it; an assumption. */
    private static final double WITH_GRADIENTS = 1.5;

    private static final double BYTES = 2;

    private final ModelSpec model;
    private final TrainingSide training;
    /** Tokens of a micro-batch. */
    private final double tokens;
    /** Tokens a rank holds between tensor-parallel regions. */
    private final double localTokens;

    private final int tp;

    ActivationMemory(Candidate candidate) {
        model = candidate.model();
        training = candidate.training();
        tp = training.layout().tp();
        tokens = TrainingMemory.plannedTokens(candidate);
        localTokens = training.sequenceParallel() ? tokens / tp : tokens;
    }

    /** What full recomputation keeps of a layer: its input. */
    double checkpoint() {
        return localTokens * model.hiddenSize() * BYTES;
    }

    /** The widest layer of these, the last excluded, while it is computed. */
    double workingSet(int first, int end) {
        double widest = 0;
        for (boolean sparse : new boolean[] {false, true}) {
            if (holds(sparse, first, end)) {
                widest = Math.max(widest, attention() + feedForward(sparse));
            }
        }
        return WITH_GRADIENTS * widest + 4 * localTokens * model.hiddenSize();
    }

    /** All activations of these layers, the last excluded, as they are kept without recomputation. */
    double kept(int first, int end) {
        int sparse = 0;
        for (int layer = first; layer < end; layer++) {
            sparse += model.sparse(layer) ? 1 : 0;
        }
        return (end - first) * attention() + sparse * feedForward(true) + (end - first - sparse) * feedForward(false);
    }

    /**
     * Float32 logits (4), the softmax saved for the backward pass (4), the bf16 gradient (2), and a scaled copy (4) where
     * the temperature is not 1; half as much again for the MTP layer's.
     */
    double logits(boolean unscaled) {
        double bytes = unscaled ? 10 : 14;
        return tokens * model.vocabularySize() / tp * bytes * (training.mtpTrained() ? 1.5 : 1);
    }

    private boolean holds(boolean sparse, int first, int end) {
        for (int layer = first; layer < end; layer++) {
            if (model.sparse(layer) == sparse) {
                return true;
            }
        }
        return false;
    }

    private double attention() {
        double hidden = model.hiddenSize();
        return switch (model.attention()) {
            case LatentAttention latent -> {
                double queryHead = latent.plainHeadSize() + latent.rotaryHeadSize();
                double heads =
                        2 * queryHead + latent.plainHeadSize() + latent.valueHeadSize() + 2 * latent.valueHeadSize();
                double down = 3 * hidden + latent.queryRank() + latent.latentRank() + latent.rotaryHeadSize();
                // The last term: flash attention's float32 log-sum of each head.
                yield BYTES * localTokens * down
                        + BYTES * tokens * latent.heads() * heads / tp
                        + 4 * tokens * latent.heads() / tp;
            }
            case GroupedQueryAttention grouped -> {
                double queries = (double) grouped.heads() * grouped.headSize();
                double keys = (double) grouped.groups() * grouped.headSize();
                double width = 2 * (grouped.outputGate() ? 2 : 1) * queries + 2 * keys + queries;
                yield 3 * BYTES * localTokens * hidden + BYTES * tokens * width / tp;
            }
        };
    }

    private double feedForward(boolean sparse) {
        Experts experts = model.experts();
        if (!sparse || experts == null) {
            return 3 * BYTES * tokens * model.denseSize() / tp;
        }
        int etp = training.layout().etp();
        double routed = localTokens * experts.perToken() * IMBALANCE * etp;
        double widths = 4.0 * model.hiddenSize() + 3.0 * experts.size() / etp;
        // Router scores are float32, twice: scores and probabilities.
        return BYTES * routed * widths
                + 8 * localTokens * experts.count()
                + 3 * BYTES * tokens * experts.sharedSize() / tp;
    }
}
