package dev.sluice.workerapi;

import java.util.Set;

/**
 * {@code POST /offload}: move what the GPUs hold of these to the host, or drop what can be made again, so that engines on the same
 * GPUs have room.
 *
 * @param what at least one
 */
public record OffloadRequest(int epoch, String operationId, Set<Held> what) implements WorkerCall {
    public OffloadRequest {
        WorkerCall.check(epoch, operationId);
        WorkerCall.require("what", what == null || what.isEmpty() ? null : what);
        what = Set.copyOf(what);
    }
}
