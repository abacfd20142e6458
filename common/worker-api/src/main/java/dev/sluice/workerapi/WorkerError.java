package dev.sluice.workerapi;

import org.jspecify.annotations.Nullable;

/**
 * What went wrong in a worker, for a person.
 *
 * @param message what happened, with the numbers
 * @param mend what to do about it
 * @param rank the rank that failed; absent where that makes no sense
 */
public record WorkerError(
        WorkerErrorCode code,
        String message,
        String mend,
        @Nullable Integer rank) {

    public static WorkerError of(WorkerErrorCode code, String message, String mend) {
        return new WorkerError(code, message, mend, null);
    }
}
