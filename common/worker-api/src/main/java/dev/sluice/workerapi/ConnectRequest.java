package dev.sluice.workerapi;

import java.util.List;

/**
 * {@code POST /weights/connect}: form the process group that carries weights to engines, with the worker's rank 0 as rank 0 and
 * the engines' GPUs after it in order. The worker asks the engines itself ({@code /init_weights_update_group}), and leaves
 * the group of before with them ({@code /destroy_weights_update_group}). An engine that was asked for a group which did not
 * form is stuck in it and must be ended.
 *
 * @param masterAddress where the members meet: a host of rank 0
 * @param groupName new for each group: a group that is lost keeps its name until its members are gone
 * @param backend {@code nccl}, or {@code gloo} without GPUs
 */
public record ConnectRequest(
        int epoch,
        String operationId,
        String masterAddress,
        int masterPort,
        String groupName,
        List<Member> engines,
        String backend)
        implements WorkerCall {
    private static final int LAST_PORT = 65_535;

    public ConnectRequest {
        WorkerCall.check(epoch, operationId);
        WorkerCall.require("masterAddress", masterAddress);
        WorkerCall.require("groupName", groupName);
        WorkerCall.require("engines", engines == null || engines.isEmpty() ? null : engines);
        engines = List.copyOf(engines);
        backend = backend == null ? "nccl" : backend;
        if (masterPort < 1 || masterPort > LAST_PORT) {
            throw new WorkerException(
                    WorkerErrorCode.INVALID_REQUEST,
                    "masterPort is %d".formatted(masterPort),
                    "send a port from 1 to 65535");
        }
    }

    /**
     * An engine of the group.
     *
     * @param address base URL
     * @param ranks its GPUs
     */
    public record Member(String address, int ranks) {
        public Member {
            WorkerCall.require("engines[].address", address);
            if (ranks < 1) {
                throw new WorkerException(
                        WorkerErrorCode.INVALID_REQUEST,
                        "engines[].ranks is %d".formatted(ranks),
                        "send how many GPUs the engine has");
            }
        }
    }
}
