package dev.sluice.workerapi;

import org.jspecify.annotations.Nullable;

/** A call that a worker refused or failed, or that did not reach it. Thrown by the client, and by workers to refuse. */
public final class WorkerException extends RuntimeException {
    private final transient WorkerError error;

    public WorkerException(WorkerErrorCode code, String message, String mend) {
        this(WorkerError.of(code, message, mend), null);
    }

    public WorkerException(WorkerError error, @Nullable Throwable cause) {
        super(who(error) + error.message() + (error.mend().isEmpty() ? "" : "; " + error.mend()), cause);
        this.error = error;
    }

    /** The rank that failed, unless the message names it already. */
    private static String who(WorkerError error) {
        String rank = "rank " + error.rank();
        return error.rank() == null || error.message().contains(rank) ? "" : rank + ": ";
    }

    public WorkerErrorCode code() {
        return error.code();
    }

    public WorkerError error() {
        return error;
    }
}
