package dev.sluice.rollout.core;

import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.Callable;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;

/**
 * The thread that owns all state of this instance. What blocks (HTTP, processes, files) runs beside it and comes back with
 * its outcome, so state needs no locks and decisions have one order.
 */
public interface Core {
    /** The time by which deadlines are judged. */
    Instant now();

    /** Runs the action on the core's thread, after what was handed over before it. */
    void execute(Runnable action);

    /** Runs the action on the core's thread when the delay has passed. */
    void after(Duration delay, Runnable action);

    /**
     * Runs work that may block on a thread of its own, then hands its outcome to the core's thread.
     *
     * @param then gets the result and null, or null and the failure
     */
    <T> void background(String name, Callable<T> work, BiConsumer<@Nullable T, @Nullable Throwable> then);
}
