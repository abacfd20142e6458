package dev.sluice.workerapi;

import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** What every call that changes or occupies a worker carries. */
public sealed interface WorkerCall
        permits LoadRequest,
                ForwardRequest,
                TrainRequest,
                ExportRequest,
                SaveRequest,
                ConnectRequest,
                SendRequest,
                OffloadRequest,
                OnloadRequest,
                ShutdownRequest {

    /** Operation ids stand in URLs and logs. */
    Pattern OPERATION_ID = Pattern.compile("[A-Za-z0-9._:-]{1,120}");

    /** The caller's epoch in the run; a worker that has seen a higher one answers 409. */
    int epoch();

    /** Chosen by the caller, one for each piece of work: a repeated id gets the first answer and starts nothing. */
    String operationId();

    /**
     * Checks what all calls share.
     *
     * @throws WorkerException if the epoch is negative or the id cannot stand in a URL
     */
    static void check(int epoch, String operationId) {
        if (epoch < 0) {
            throw new WorkerException(WorkerErrorCode.INVALID_REQUEST, "epoch is " + epoch, "send 0 or more");
        }
        if (operationId == null || !OPERATION_ID.matcher(operationId).matches()) {
            throw new WorkerException(
                    WorkerErrorCode.INVALID_REQUEST,
                    "operationId is " + operationId,
                    "send 1 to 120 characters of A-Z a-z 0-9 . _ : -");
        }
    }

    /**
     * Checks that a field was sent.
     *
     * @throws WorkerException naming the field
     */
    static void require(String field, @Nullable Object value) {
        if (value == null) {
            throw new WorkerException(WorkerErrorCode.INVALID_REQUEST, field + " is missing", "send it");
        }
    }
}
