package dev.sluice.trainer.loop;

/** Another trainer trains this run now. */
final class SupersededException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    SupersededException(String runId, int epoch, int newer) {
        super("%s is trained under epoch %d now; epoch %d stops".formatted(runId, newer, epoch));
    }
}
