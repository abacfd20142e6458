package dev.sluice.workerapi;

/** {@code POST /shutdown}: finish what is running, then end the process. */
public record ShutdownRequest(int epoch, String operationId) implements WorkerCall {
    public ShutdownRequest {
        WorkerCall.check(epoch, operationId);
    }
}
