package dev.sluice.rollout.reward;

import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Runs code that may never end on threads of its own. A thread that ignores its interrupt is lost; after some of them nothing more is
 * started, so that a broken reward or environment costs those threads and not the service.
 */
public final class GuardedThread {
    static final int MAX_LOST = 16;

    private final String name;
    private final AtomicInteger lost = new AtomicInteger();

    public GuardedThread(String name) {
        this.name = name;
    }

    /**
     * The call's result.
     *
     * @throws TimeoutException with a message for people if it did not end in its time
     * @throws ExecutionException around whatever the call threw, errors included
     */
    public <T> T call(Time time, Callable<T> call) throws TimeoutException, ExecutionException, InterruptedException {
        if (lost.get() >= MAX_LOST) {
            throw new TimeoutException(
                    "%d calls of %s never ended; mend it and restart the instance".formatted(MAX_LOST, name));
        }
        FutureTask<T> task = new FutureTask<>(call);
        AtomicInteger state = new AtomicInteger();
        Thread.ofPlatform().name("hook-" + name).daemon().start(() -> {
            task.run();
            if (!state.compareAndSet(0, 1)) {
                lost.decrementAndGet(); // late, but not lost
            }
        });
        try {
            return task.get(Math.max(1, time.left().toNanos()), TimeUnit.NANOSECONDS);
        } catch (TimeoutException | InterruptedException e) {
            if (state.compareAndSet(0, 2)) {
                lost.incrementAndGet();
            }
            task.cancel(true);
            if (e instanceof InterruptedException interrupted) {
                throw interrupted;
            }
            throw new TimeoutException("%s did not end within %s".formatted(name, time.seconds()));
        }
    }
}
