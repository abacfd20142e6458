package dev.sluice.workerapi;

/**
 * {@code POST /save}: write a cut, from which {@code /load} with {@code resumeFrom} goes on bit for bit.
 *
 * @param dir directory to create; it must not exist
 * @param asynchronous the worker takes a copy of what it saves and answers; then it writes while it takes other calls
 */
public record SaveRequest(int epoch, String operationId, String dir, boolean asynchronous) implements WorkerCall {
    public SaveRequest {
        WorkerCall.check(epoch, operationId);
        WorkerCall.require("dir", dir);
    }

    /** A cut whose answer comes when it is written. */
    public SaveRequest(int epoch, String operationId, String dir) {
        this(epoch, operationId, dir, false);
    }
}
