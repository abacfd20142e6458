package dev.sluice.cpu.engine;

/** A request that is refused; the message is for the client. */
final class RequestException extends RuntimeException {
    private final int status;

    /** A mistake of the client. */
    RequestException(String message) {
        this(400, message);
    }

    RequestException(int status, String message) {
        super(message);
        this.status = status;
    }

    int status() {
        return status;
    }
}
