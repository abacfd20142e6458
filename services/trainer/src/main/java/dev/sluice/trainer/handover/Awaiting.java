package dev.sluice.trainer.handover;

import java.time.Duration;
import java.util.function.BooleanSupplier;

/** Waits on a run's state, in one of several ways. */
@FunctionalInterface
public interface Awaiting {
    /**
     * Waits until a condition holds.
     *
     * @param condition is asked with the flow's lock held
     * @return whether it holds; false after the timeout
     */
    boolean await(BooleanSupplier condition, Duration time) throws InterruptedException;
}
