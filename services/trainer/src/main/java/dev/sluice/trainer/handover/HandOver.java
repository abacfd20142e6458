package dev.sluice.trainer.handover;

import dev.sluice.trainer.worker.Worker;
import java.time.Duration;
import java.util.function.BooleanSupplier;

/**
 * What lies around the verbs of the training loop where engines and training share GPUs, or where weights go from memory to
 * memory. For the training thread alone.
 */
public interface HandOver extends Awaiting, AutoCloseable {
    /** The one that a run's plan asks for. */
    static HandOver of(Means means) {
        if (means.run().plan().transport().direct() && !means.weights().areDirect()) {
            means.tellOfFiles();
        }
        if (!means.run().kind().samples()) {
            return new Apart(means);
        }
        if (means.run().plan().colocated()) {
            return new Turns(means);
        }
        return means.weights().areDirect() ? new Broadcast(means) : new Apart(means);
    }

    /** Before a worker is started or touched. */
    void begin() throws InterruptedException;

    /** A worker holds the run's model. */
    void seated(Worker worker) throws InterruptedException;

    /** The worker is to compute, or to write a cut. */
    void beforeTraining(Evaluating evaluation) throws InterruptedException;

    /** A step is trained, and its weights are to be published. */
    void beforePublication(Evaluating evaluation) throws InterruptedException;

    /** The log has the newest weights. */
    void afterPublication() throws InterruptedException;

    /** The worker is not needed until the next step. */
    void afterTraining() throws InterruptedException;

    /** Engines that have started meanwhile and lack weights get them. */
    @Override
    boolean await(BooleanSupplier condition, Duration time) throws InterruptedException;

    @Override
    void close();
}
