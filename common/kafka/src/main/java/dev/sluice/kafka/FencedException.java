package dev.sluice.kafka;

/** Another process has taken over this log: this one must stop writing at once. */
public final class FencedException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    FencedException(String transactionalId, Throwable cause) {
        super("another process writes as " + transactionalId + " now; this one stops", cause);
    }
}
