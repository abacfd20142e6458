package dev.sluice.cli.checkpoint;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.Function;

/** Works through tensors on several threads; the results keep the tensors' order. */
final class TensorPass {
    /** More readers do not make a disk faster, and each holds windows in memory. */
    private static final int MAX_THREADS = 8;

    private TensorPass() {}

    /** @throws RuntimeException the first that a piece of work throws; what has not begun is left out */
    static <T, R> List<R> over(List<T> tensors, Function<T, R> work) {
        int threads = Math.min(MAX_THREADS, Runtime.getRuntime().availableProcessors());
        ExecutorService pool = Executors.newFixedThreadPool(
                threads, Thread.ofPlatform().daemon().name("tensors-", 0).factory());
        try {
            List<Future<R>> futures = new ArrayList<>();
            tensors.forEach(tensor -> futures.add(pool.submit(() -> work.apply(tensor))));
            List<R> results = new ArrayList<>();
            for (Future<R> future : futures) {
                results.add(future.get());
            }
            return results;
        } catch (ExecutionException e) {
            if (e.getCause() instanceof RuntimeException cause) {
                throw cause;
            }
            throw new IllegalStateException("comparing tensors throws no checked exception", e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("nothing interrupts the thread of a command", e);
        } finally {
            pool.shutdownNow();
        }
    }
}
