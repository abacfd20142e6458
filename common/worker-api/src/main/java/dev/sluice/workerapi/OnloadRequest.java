package dev.sluice.workerapi;

import java.util.Set;

/**
 * {@code POST /onload}: bring back what was offloaded. Needs as much free memory as that gave.
 *
 * @param what at least one
 */
public record OnloadRequest(int epoch, String operationId, Set<Held> what) implements WorkerCall {
    public OnloadRequest {
        WorkerCall.check(epoch, operationId);
        WorkerCall.require("what", what == null || what.isEmpty() ? null : what);
        what = Set.copyOf(what);
    }
}
