package dev.sluice.rollout.core;

import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.Callable;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The core of a running service: one platform thread, with virtual threads for what blocks. */
public final class CoreThread implements Core, AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(CoreThread.class);
    private static final Duration CLOSE_DEADLINE = Duration.ofSeconds(2);

    private final Clock clock;
    private final ScheduledThreadPoolExecutor thread;

    public CoreThread(Clock clock) {
        this.clock = clock;
        this.thread = new ScheduledThreadPoolExecutor(
                1, Thread.ofPlatform().name("rollout-core").daemon().factory());
        thread.setExecuteExistingDelayedTasksAfterShutdownPolicy(false);
    }

    @Override
    public Instant now() {
        return clock.instant();
    }

    @Override
    public void execute(Runnable action) {
        try {
            thread.execute(logged(action));
        } catch (RejectedExecutionException e) {
            LOG.debug("the core is closed");
        }
    }

    @Override
    public void after(Duration delay, Runnable action) {
        try {
            thread.schedule(logged(action), Math.max(0, delay.toMillis()), TimeUnit.MILLISECONDS);
        } catch (RejectedExecutionException e) {
            LOG.debug("the core is closed");
        }
    }

    @Override
    public <T> void background(String name, Callable<T> work, BiConsumer<@Nullable T, @Nullable Throwable> then) {
        Thread.ofVirtual().name(name).start(() -> {
            try {
                T result = work.call();
                execute(() -> then.accept(result, null));
            } catch (Exception | LinkageError failure) {
                execute(() -> then.accept(null, failure));
            }
        });
    }

    /** An action that fails is our mistake; the others must still run. */
    private static Runnable logged(Runnable action) {
        return () -> {
            try {
                action.run();
            } catch (RuntimeException e) {
                LOG.error("a decision failed", e);
            }
        };
    }

    @Override
    public void close() {
        thread.shutdown();
        try {
            if (!thread.awaitTermination(CLOSE_DEADLINE.toMillis(), TimeUnit.MILLISECONDS)) {
                LOG.warn("the core did not come to rest within {}", CLOSE_DEADLINE);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
