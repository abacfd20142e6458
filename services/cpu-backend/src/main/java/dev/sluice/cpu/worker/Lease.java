package dev.sluice.cpu.worker;

import java.time.Duration;
import java.util.function.LongSupplier;

/** How long a worker outlives its trainer: every call renews it. */
final class Lease {
    private final Duration length;
    private final LongSupplier nanoTime;
    private volatile long renewed;

    Lease(Duration length, LongSupplier nanoTime) {
        this.length = length;
        this.nanoTime = nanoTime;
        this.renewed = nanoTime.getAsLong();
    }

    void renew() {
        renewed = nanoTime.getAsLong();
    }

    boolean isOver() {
        return nanoTime.getAsLong() - renewed > length.toNanos();
    }

    Duration length() {
        return length;
    }
}
