package dev.sluice.cpu.http;

/** A request body that is not what its handler expects. The message is for the client. */
public final class BodyException extends RuntimeException {
    public BodyException(String message) {
        super(message);
    }
}
