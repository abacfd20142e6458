package dev.sluice.trainer.wait;

/** Something did not come within its bound; the message says what was awaited and how things stood. */
public final class WaitOverdueException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    WaitOverdueException(String message) {
        super(message);
    }
}
