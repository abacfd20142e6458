package dev.sluice.workerapi;

/**
 * {@code POST /weights/connect}: join the process group that carries weights to engines. It forms when all of its members are
 * there, so the caller asks the engines ({@code /init_weights_update_group}) at the same time, not after it.
 *
 * @param masterAddress where the members meet: a host of rank 0
 * @param rankOffset the worker's rank in the group; it is the source of the weights, 0
 * @param worldSize the worker and every GPU of every engine
 * @param groupName new for each group: a group that is lost keeps its name until its members are gone
 * @param backend {@code nccl}, or {@code gloo} without GPUs
 */
public record ConnectRequest(
        int epoch,
        String operationId,
        String masterAddress,
        int masterPort,
        int rankOffset,
        int worldSize,
        String groupName,
        String backend)
        implements WorkerCall {
    private static final int LAST_PORT = 65_535;

    public ConnectRequest {
        WorkerCall.check(epoch, operationId);
        WorkerCall.require("masterAddress", masterAddress);
        WorkerCall.require("groupName", groupName);
        backend = backend == null ? "nccl" : backend;
        if (masterPort < 1 || masterPort > LAST_PORT || worldSize < 2 || rankOffset < 0 || rankOffset >= worldSize) {
            throw new WorkerException(
                    WorkerErrorCode.INVALID_REQUEST,
                    "masterPort is %d, worldSize %d and rankOffset %d".formatted(masterPort, worldSize, rankOffset),
                    "send a port from 1 to 65535, at least 2 members, and a rank below their number");
        }
    }
}
