package dev.sluice.workerapi;

/**
 * {@code POST /train}: one step, that is all optimizer steps of one batch.
 *
 * @param step must be the worker's step + 1
 * @param batch path of the batch file
 * @param model policy or critic
 * @param renewReference whether the policy becomes the reference afterwards
 */
public record TrainRequest(
        int epoch, String operationId, int step, String batch, ModelRole model, LossConfig loss, boolean renewReference)
        implements WorkerCall {
    /** The reference stays what it is. */
    public TrainRequest(int epoch, String operationId, int step, String batch, ModelRole model, LossConfig loss) {
        this(epoch, operationId, step, batch, model, loss, false);
    }

    public TrainRequest {
        WorkerCall.check(epoch, operationId);
        WorkerCall.require("batch", batch);
        WorkerCall.require("model", model);
        WorkerCall.require("loss", loss);
    }
}
