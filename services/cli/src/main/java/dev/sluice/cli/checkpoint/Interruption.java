package dev.sluice.cli.checkpoint;

import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/**
 * Ctrl-C while something is written: the work is told to stop and gets a while to clean up, before the process ends.
 */
final class Interruption implements AutoCloseable {
    /** A tensor that is being written is finished first; a slow disk takes seconds for a large one. */
    private static final Duration PATIENCE = Duration.ofSeconds(20);

    private final CountDownLatch over = new CountDownLatch(1);
    private final Thread hook = new Thread(this::stopAndWait, "interruption");
    private volatile boolean requested;

    /** Thrown where the work looks whether it shall go on. */
    static final class Stopped extends RuntimeException {
        private static final long serialVersionUID = 1L;

        private Stopped() {
            super("stopped by Ctrl-C");
        }
    }

    private Interruption() {}

    /** From now on Ctrl-C stops the work instead of the process; closing it ends that. */
    static Interruption watched() {
        Interruption interruption = new Interruption();
        Runtime.getRuntime().addShutdownHook(interruption.hook);
        return interruption;
    }

    void request() {
        requested = true;
    }

    /** @throws Stopped after Ctrl-C */
    void check() {
        if (requested) {
            throw new Stopped();
        }
    }

    @Override
    public void close() {
        over.countDown();
        try {
            Runtime.getRuntime().removeShutdownHook(hook);
        } catch (IllegalStateException shuttingDown) {
            // The hook runs already, and has just been told to end.
        }
    }

    private void stopAndWait() {
        request();
        try {
            over.await(PATIENCE.toMillis(), TimeUnit.MILLISECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
