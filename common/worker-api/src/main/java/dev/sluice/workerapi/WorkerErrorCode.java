package dev.sluice.workerapi;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonValue;
import java.util.Locale;

/** Why a worker refused or failed; decides what the caller can do about it. */
public enum WorkerErrorCode {
    /** The bearer token is missing or another. */
    UNAUTHORISED(401),
    /** A caller with a higher epoch was here: this one has been replaced and must stop. */
    STALE_EPOCH(409),
    /** The request cannot be understood or contradicts itself. */
    INVALID_REQUEST(400),
    /** No such path or operation. */
    NOT_FOUND(404),
    /** A path lies outside the folders that the worker may use, or something is there already. */
    PATH_REFUSED(400),
    /** The worker lacks this capability. */
    UNSUPPORTED(400),
    /** No model is loaded, or not the one that was asked for. */
    NOT_LOADED(409),
    /** The step is not the one after the worker's. */
    STEP_OUT_OF_ORDER(409),
    /** The batch file is missing, damaged or contradicts the request. */
    BAD_BATCH(400),
    /** A checkpoint cannot be read or does not fit the model. */
    BAD_CHECKPOINT(400),
    /** The loss or a gradient is not finite; the weights were left as they were. */
    NOT_FINITE(500),
    /** No room for the files of an export or a cut; nothing that looks like one is left. */
    DISK_FULL(507),
    /** The device's memory does not suffice. */
    OUT_OF_MEMORY(500),
    /** A fault of the worker. */
    INTERNAL(500),
    /** The client: nobody answered. */
    UNREACHABLE(0),
    /** The client: no answer by the deadline; the operation may still be running. */
    DEADLINE(0),
    /** The client: a code of a newer worker. */
    UNKNOWN(0);

    private final int status;

    WorkerErrorCode(int status) {
        this.status = status;
    }

    /** HTTP status that a worker answers with when it refuses a call for this reason. */
    public int status() {
        return status;
    }

    @JsonValue
    public String wireName() {
        return name().toLowerCase(Locale.ROOT);
    }

    @JsonCreator
    static WorkerErrorCode of(String wireName) {
        for (WorkerErrorCode code : values()) {
            if (code.wireName().equals(wireName)) {
                return code;
            }
        }
        return UNKNOWN;
    }
}
