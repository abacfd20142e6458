package dev.sluice.workerapi;

/**
 * {@code POST /train}: one step, that is all optimizer steps of one batch.
 *
 * @param step must be the worker's step + 1
 * @param batch path of the batch file
 * @param model policy or critic
 */
public record TrainRequest(int epoch, String operationId, int step, String batch, ModelRole model, LossConfig loss)
        implements WorkerCall {
    public TrainRequest {
        WorkerCall.check(epoch, operationId);
        WorkerCall.require("batch", batch);
        WorkerCall.require("model", model);
        WorkerCall.require("loss", loss);
    }
}
