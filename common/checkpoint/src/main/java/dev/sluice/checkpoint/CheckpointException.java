package dev.sluice.checkpoint;

/** A checkpoint that cannot be read or written; the message tells a person what is wrong, where, and what to do. */
public class CheckpointException extends RuntimeException {
    public CheckpointException(String message) {
        super(message);
    }

    public CheckpointException(String message, Throwable cause) {
        super(message, cause);
    }
}
