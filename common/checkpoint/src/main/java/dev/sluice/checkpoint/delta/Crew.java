package dev.sluice.checkpoint.delta;

import dev.sluice.checkpoint.CheckpointException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/** Threads that share a list of tensors; each has buffers of its own. */
final class Crew {
    /** Works on one item after another. */
    @FunctionalInterface
    interface Hand<T> {
        void take(T item) throws IOException;
    }

    private Crew() {}

    /** Returns when every item is done; the first failure stops the rest and is thrown. */
    static <T> void work(String what, Collection<T> items, List<? extends Hand<T>> hands) {
        Queue<T> queue = new ConcurrentLinkedQueue<>(items);
        try (ExecutorService threads = Executors.newFixedThreadPool(hands.size())) {
            List<Future<?>> ends = new ArrayList<>();
            for (Hand<T> hand : hands) {
                ends.add(threads.submit(() -> {
                    work(queue, hand);
                    return null;
                }));
            }
            for (Future<?> end : ends) {
                await(what, end);
            }
        }
    }

    private static <T> void work(Queue<T> queue, Hand<T> hand) throws IOException {
        try {
            for (T item = queue.poll(); item != null; item = queue.poll()) {
                hand.take(item);
            }
        } catch (IOException | RuntimeException | Error e) {
            queue.clear();
            throw e;
        }
    }

    private static void await(String what, Future<?> end) {
        try {
            end.get();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new CheckpointException(what + " was interrupted; start it again", e);
        } catch (ExecutionException e) {
            switch (e.getCause()) {
                case CheckpointException refused -> throw refused;
                case IOException failed -> throw new CheckpointException(what + " failed: " + failed, failed);
                default -> throw new IllegalStateException(what + " failed", e.getCause());
            }
        }
    }
}
