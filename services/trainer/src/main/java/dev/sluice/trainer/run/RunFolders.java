package dev.sluice.trainer.run;

import java.nio.file.Path;

/**
 * Where a run's trainer keeps files. What one epoch writes lies apart from every other's, so a predecessor that is slow to
 * die cannot spoil it.
 *
 * @param root the run's directory, absolute
 */
public record RunFolders(Path root, int epoch) {

    /** The file of a step's batch. */
    public Path batch(int step) {
        return batches().resolve("step-%06d.safetensors".formatted(step));
    }

    public Path batches() {
        return root.resolve("batches").resolve("e" + epoch);
    }

    /** Batches of all epochs. */
    public Path allBatches() {
        return root.resolve("batches");
    }

    /** The directory of a weight version. */
    public Path weights(int version) {
        return root.resolve("weights").resolve("e" + epoch).resolve("v%06d".formatted(version));
    }

    /** Where deltas between weight versions lie, each under the name that slime's readers look for. */
    public Path deltas() {
        return root.resolve("weights").resolve("e" + epoch).resolve("deltas");
    }

    /** The directory of a cut; the last one may follow a regular one of the same step. */
    public Path cut(int step, boolean last) {
        return root.resolve("checkpoints")
                .resolve("e" + epoch)
                .resolve("step-%06d%s".formatted(step, last ? "-last" : ""));
    }

    /** The pid file of the worker, which outlives its trainer. */
    public Path worker() {
        return root.resolve("worker.json");
    }

    /** The bearer token of the worker, readable by its owner alone. */
    public Path workerToken() {
        return root.resolve("worker.token");
    }

    /** Where Hugging Face tensors lie in Megatron's, for a worker without a name map. */
    public Path tensors() {
        return root.resolve("tensors").resolve("e" + epoch + ".json");
    }

    /** Samples of a run that trains nothing, a file a set. */
    public Path samples() {
        return root.resolve("samples");
    }

    /** The log of another node's ranks of the worker. */
    public Path nodeLog(int rank) {
        return root.resolve("logs").resolve("worker-e%d-node%d.log".formatted(epoch, rank));
    }

    public Path workerLog() {
        return root.resolve("logs").resolve("worker-e" + epoch + ".log");
    }
}
