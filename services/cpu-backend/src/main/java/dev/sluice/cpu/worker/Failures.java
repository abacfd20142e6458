package dev.sluice.cpu.worker;

import dev.sluice.checkpoint.CheckpointException;
import dev.sluice.checkpoint.DiskFullException;
import dev.sluice.workerapi.WorkerError;
import dev.sluice.workerapi.WorkerErrorCode;
import dev.sluice.workerapi.WorkerException;
import java.io.UncheckedIOException;

/** Turns what was thrown into what a caller is told. */
final class Failures {
    private Failures() {}

    static WorkerError errorOf(Throwable thrown) {
        String message = String.valueOf(thrown.getMessage());
        if (DiskFullException.isReasonFor(thrown)) {
            return WorkerError.of(WorkerErrorCode.DISK_FULL, message, "free space on the data root's disk");
        }
        return switch (thrown) {
            case WorkerException refused -> refused.error();
            case CheckpointException broken -> WorkerError.of(WorkerErrorCode.BAD_CHECKPOINT, message, "");
            // Thrown where a configuration or its weights do not fit the model.
            case IllegalArgumentException misfit ->
                WorkerError.of(WorkerErrorCode.BAD_CHECKPOINT, message, "give a checkpoint of this model");
            case UncheckedIOException unreadable -> WorkerError.of(WorkerErrorCode.BAD_CHECKPOINT, message, "");
            case OutOfMemoryError heap -> outOfMemory("the Java heap is full: " + message);
            default ->
                message.contains("allocate memory")
                        ? outOfMemory(message)
                        : WorkerError.of(WorkerErrorCode.INTERNAL, thrown.toString(), "see the worker's log");
        };
    }

    private static WorkerError outOfMemory(String message) {
        return WorkerError.of(WorkerErrorCode.OUT_OF_MEMORY, message, "use shorter samples or a smaller model");
    }
}
