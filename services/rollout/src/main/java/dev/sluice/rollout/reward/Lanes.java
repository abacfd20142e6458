package dev.sluice.rollout.reward;

import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;

/** Bounds how many calls run at once to one reward or environment, so that a slow one waits by itself. */
public final class Lanes {
    private final int width;
    private final Map<String, Semaphore> lanes = new ConcurrentHashMap<>();

    /** @param width calls at once of each */
    public Lanes(int width) {
        this.width = width;
    }

    /** Makes the call when there is room; empty where none came in time. */
    public <T> Optional<T> call(String lane, Duration patience, Callable<T> call) throws Exception {
        Semaphore room = lanes.computeIfAbsent(lane, name -> new Semaphore(width));
        if (!room.tryAcquire(Math.max(0, patience.toNanos()), TimeUnit.NANOSECONDS)) {
            return Optional.empty();
        }
        try {
            return Optional.of(call.call());
        } finally {
            room.release();
        }
    }
}
