package dev.sluice.workerapi;

/**
 * {@code POST /save}: write a cut, from which {@code /load} with {@code resumeFrom} goes on bit for bit.
 *
 * @param dir directory to create; it must not exist
 */
public record SaveRequest(int epoch, String operationId, String dir) implements WorkerCall {
    public SaveRequest {
        WorkerCall.check(epoch, operationId);
        WorkerCall.require("dir", dir);
    }
}
