package dev.sluice.domain.memory;

/**
 * Memory of each GPU of one pipeline stage while training, bytes.
 *
 * @param layers decoder layers of the stage
 * @param denseParameters parameters on the GPU that are no routed experts
 * @param expertParameters parameters of routed experts on the GPU
 * @param optimizer Adam's state that lies on the GPU
 * @param checkpoints activations kept between forward and backward pass
 * @param workingSet activations and gradients of the layer that is being computed
 * @param logits logits, their softmax and gradient; last stage only
 * @param fixed CUDA context, NCCL, workspaces
 */
public record StageMemory(
        int layers,
        double denseParameters,
        double expertParameters,
        double weights,
        double gradients,
        double optimizer,
        double checkpoints,
        double workingSet,
        double logits,
        double fixed) {
    public static final double GIB = 1L << 30;

    public double parameters() {
        return denseParameters + expertParameters;
    }

    /** Weights, gradients and optimizer. */
    public double statics() {
        return weights + gradients + optimizer;
    }

    /** The working set of a layer and the logits are never there at once. */
    public double activations() {
        return checkpoints + Math.max(workingSet, logits);
    }

    public double total() {
        return statics() + activations() + fixed;
    }

    public double gib() {
        return total() / GIB;
    }
}
