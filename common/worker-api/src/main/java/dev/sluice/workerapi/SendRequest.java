package dev.sluice.workerapi;

import com.fasterxml.jackson.annotation.JsonProperty;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * {@code POST /weights/send}: put the policy's weights into running engines. The caller has paused them, and lets them go on
 * afterwards; the worker tells them of each bucket itself. An engine in which this fails holds a mixture and must not serve.
 *
 * @param engines addresses of the engines, in the order of their ranks in the group; absent: those of the last send
 * @param version weight version that the engines then have
 * @param groupName of the last {@code /weights/connect}; only for {@code nccl}
 * @param flushCache whether engines forget what old weights cached: not while requests wait in them, SGLang dies of it
 * @param bucketBytes of tensors that are sent at once
 * @param timeoutSeconds for all of it; the engines' deadline too
 */
public record SendRequest(
        int epoch,
        String operationId,
        @Nullable List<String> engines,
        int version,
        Transport transport,
        @Nullable String groupName,
        boolean flushCache,
        long bucketBytes,
        double timeoutSeconds)
        implements WorkerCall {
    private static final long BUCKET_BYTES = 512L << 20;
    private static final double TIMEOUT_SECONDS = 600;

    public SendRequest {
        WorkerCall.check(epoch, operationId);
        WorkerCall.require("transport", transport);
        engines = engines == null ? null : List.copyOf(engines);
        bucketBytes = bucketBytes == 0 ? BUCKET_BYTES : bucketBytes;
        timeoutSeconds = timeoutSeconds == 0 ? TIMEOUT_SECONDS : timeoutSeconds;
        if (transport == Transport.NCCL) {
            WorkerCall.require("groupName", groupName);
        }
    }

    /** How weights travel. */
    public enum Transport {
        /** Broadcast over the group of the last {@code /weights/connect}. */
        @JsonProperty("nccl")
        NCCL,
        /** Handles of memory on the GPUs that worker and engines share. */
        @JsonProperty("tensor")
        TENSOR
    }
}
