package dev.sluice.trainer.loop;

/** Steps were taken back: the run goes on from the log, in which they no longer stand. */
final class RolledBackException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    RolledBackException(String message) {
        super(message);
    }
}
