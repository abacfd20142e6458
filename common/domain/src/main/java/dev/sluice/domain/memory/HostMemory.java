package dev.sluice.domain.memory;

import dev.sluice.domain.candidate.Candidate;

/**
 * Memory of one training node's host, bytes.
 *
 * @param adam Adam's state of what is offloaded
 * @param copies pinned copies of the weights that the trainer swaps in: the policy's and the frozen models'
 * @param processes what each pair of processes of a GPU and the system take
 */
public record HostMemory(double adam, double copies, double processes) {
    /**
     * Master weight and gradient, 4 bytes each and pinned, which the allocator rounds up by a quarter; both moments, 8; a
     * bf16 copy, 2 (Megatron's HybridDeviceOptimizer).
     */
    private static final double ADAM_BYTES = 20;
    /** A bf16 weight, rounded up by the pinned allocator (slime's TensorBackuper). */
    private static final double COPY_BYTES = 2.5;

    private static final double PROCESS_BYTES = 12 * StageMemory.GIB;
    private static final double SYSTEM_BYTES = 32 * StageMemory.GIB;

    public static HostMemory of(Candidate candidate, TrainingMemory memory, LayerSums sums) {
        double offloaded = candidate.training().optimizer().offloadFraction();
        double trained = sums.total()
                + (candidate.training().mtpTrained() ? sums.mtpLayer().total() : 0);
        int gpus = candidate.cluster().trainGpusPerNode();
        int models = 1 + candidate.workload().frozenModels();
        return new HostMemory(
                offloaded * ADAM_BYTES * trained / candidate.cluster().trainNodes(),
                COPY_BYTES * memory.mostParameters() * gpus * models,
                PROCESS_BYTES * gpus + SYSTEM_BYTES);
    }

    public double gib() {
        return (adam + copies + processes) / StageMemory.GIB;
    }
}
