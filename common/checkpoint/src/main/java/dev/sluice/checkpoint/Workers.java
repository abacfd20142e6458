package dev.sluice.checkpoint;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Does independent jobs in a few threads. The first failure, or an interrupt of the calling thread, interrupts the others; all have ended when the call
 * returns.
 */
final class Workers<T> {
    private static final int MOST = 4;

    private final Iterator<T> jobs;
    private final Job<T> job;
    private final List<Thread> threads = new ArrayList<>();
    private @Nullable Throwable failure;

    interface Job<T> {
        void run(T item) throws IOException;
    }

    private Workers(Iterator<T> jobs, Job<T> job) {
        this.jobs = jobs;
        this.job = job;
    }

    /** One more than there are cores, since one of them often waits for the disk, and at most four: more do not make a disk faster. */
    static int byDefault() {
        return Math.clamp(Runtime.getRuntime().availableProcessors() + 1L, 1, MOST);
    }

    /**
     * Runs all jobs.
     *
     * @param count one means the calling thread
     * @throws InterruptedException if the calling thread was interrupted
     * @throws IOException what a job threw, likewise runtime exceptions
     */
    static <T> void each(int count, List<T> items, Job<T> job) throws IOException, InterruptedException {
        if (count == 1) {
            for (T item : items) {
                job.run(item);
            }
            return;
        }
        Workers<T> workers = new Workers<>(items.iterator(), job);
        workers.start(Math.min(count, items.size()));
        workers.join();
    }

    private synchronized void start(int count) {
        for (int i = 0; i < count; i++) {
            Thread thread = new Thread(this::work, "checkpoint-" + i);
            thread.setDaemon(true);
            threads.add(thread);
            thread.start();
        }
    }

    private void work() {
        try {
            for (T item = next(); item != null; item = next()) {
                job.run(item);
            }
        } catch (Throwable e) {
            fail(e);
        }
    }

    private synchronized @Nullable T next() {
        return failure == null && jobs.hasNext() ? jobs.next() : null;
    }

    private synchronized void fail(Throwable cause) {
        if (failure == null) {
            failure = cause;
            threads.stream().filter(thread -> thread != Thread.currentThread()).forEach(Thread::interrupt);
        }
    }

    private void join() throws IOException, InterruptedException {
        for (Thread thread : threads) {
            while (thread.isAlive()) {
                try {
                    thread.join();
                } catch (InterruptedException e) {
                    fail(e);
                }
            }
        }
        switch (failure()) {
            case null -> {}
            case IOException e -> throw e;
            case InterruptedException e -> throw e;
            case RuntimeException e -> throw e;
            case Error e -> throw e;
            case Throwable e -> throw new IllegalStateException("a job threw what it does not declare", e);
        }
    }

    private synchronized @Nullable Throwable failure() {
        return failure;
    }
}
