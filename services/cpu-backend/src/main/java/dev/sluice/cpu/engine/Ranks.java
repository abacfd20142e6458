package dev.sluice.cpu.engine;

import dev.sluice.sglang.PauseMode;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.Lock;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Function;
import java.util.function.Predicate;

/**
 * The schedulers of an engine, one a data-parallel rank. Calls concern all ranks unless they name one; what must not run beside
 * any generation runs while every rank stands between two steps.
 */
final class Ranks implements AutoCloseable {
    private final List<Scheduler> schedulers;
    private final Balancer balancer;
    /** Two callers that each stop some of the ranks would wait for each other. */
    private final Lock stopping = new ReentrantLock();

    private boolean closed;

    Ranks(List<Scheduler> schedulers, DataParallel.Balance balance) {
        this.schedulers = List.copyOf(schedulers);
        this.balancer = new Balancer(schedulers.size(), balance);
    }

    int count() {
        return schedulers.size();
    }

    List<Scheduler> all() {
        return schedulers;
    }

    /**
     * Accepts requests, all or none. Samples of one prompt go to one rank, which computes the prompt once.
     *
     * @param maxQueued requests that wait on a rank at most
     */
    void submit(List<GenerationRequest> requests, int maxQueued) throws Exception {
        List<List<GenerationRequest>> placed = balancer.place(requests);
        List<CompletableFuture<Void>> accepted = new ArrayList<>();
        for (int rank = 0; rank < placed.size(); rank++) {
            List<GenerationRequest> own = placed.get(rank);
            accepted.add(
                    own.isEmpty()
                            ? CompletableFuture.completedFuture(null)
                            : schedulers.get(rank).submit(own, maxQueued));
        }
        Exception refusal = null;
        for (int rank = 0; rank < placed.size(); rank++) {
            try {
                waited(accepted.get(rank));
            } catch (InterruptedException e) {
                throw e;
            } catch (Exception e) {
                balancer.left(rank, placed.get(rank));
                accepted.set(rank, CompletableFuture.failedFuture(e));
                refusal = e;
            }
        }
        if (refusal != null) {
            for (int rank = 0; rank < placed.size(); rank++) {
                if (!accepted.get(rank).isCompletedExceptionally()) {
                    Set<String> rids = new HashSet<>();
                    placed.get(rank).forEach(request -> rids.add(request.rid()));
                    schedulers.get(rank).abort(rids::contains);
                }
            }
            throw refusal;
        }
    }

    void abort(Predicate<String> rids) throws Exception {
        each(scheduler -> scheduler.abort(rids));
    }

    void pause(PauseMode mode) throws Exception {
        each(scheduler -> scheduler.pause(mode));
    }

    void resume() throws Exception {
        each(Scheduler::resume);
    }

    /** What a call made of each rank, in their order. */
    <T> List<T> each(Function<Scheduler, CompletableFuture<T>> call) throws Exception {
        List<CompletableFuture<T>> results = schedulers.stream().map(call).toList();
        List<T> values = new ArrayList<>();
        for (CompletableFuture<T> result : results) {
            values.add(waited(result));
        }
        return values;
    }

    /** Figures of every rank. */
    List<Figures> figures() throws Exception {
        return each(scheduler -> scheduler.between(scheduler::figures));
    }

    /** The label of the weights, the same on every rank. */
    String weightVersion() throws Exception {
        Scheduler first = schedulers.getFirst();
        return waited(first.between(first::weightVersion));
    }

    /** Whether nothing ran at some moment up to then, on each rank. */
    boolean awaitIdle(Duration atMost) throws Exception {
        List<CompletableFuture<Void>> idle =
                schedulers.stream().map(Scheduler::idle).toList();
        try {
            CompletableFuture.allOf(idle.toArray(CompletableFuture[]::new)).get(atMost.toNanos(), TimeUnit.NANOSECONDS);
            return true;
        } catch (TimeoutException e) {
            idle.forEach(one -> one.cancel(false));
        }
        return each(scheduler -> scheduler.between(scheduler::isIdle)).stream().allMatch(Boolean::booleanValue);
    }

    /** Runs a piece of work while every rank stands between two steps; it may touch all of them, and the weights. */
    <T> T stopped(Callable<T> work) throws Exception {
        stopping.lockInterruptibly();
        CountDownLatch arrived = new CountDownLatch(schedulers.size() - 1);
        CountDownLatch done = new CountDownLatch(1);
        try {
            if (closed) {
                throw new RequestException(503, "The engine is shutting down.");
            }
            for (Scheduler scheduler : schedulers.subList(1, schedulers.size())) {
                scheduler.between(() -> {
                    arrived.countDown();
                    done.await();
                    return null;
                });
            }
            return waited(schedulers.getFirst().between(() -> {
                arrived.await();
                return work.call();
            }));
        } finally {
            done.countDown();
            stopping.unlock();
        }
    }

    /** The same as soon as nothing runs on any rank; requests that come meanwhile wait. */
    <T> T stoppedWhenIdle(Callable<T> work) throws Exception {
        each(scheduler -> scheduler.hold(true));
        try {
            while (true) {
                each(Scheduler::idle);
                List<T> result = stopped(
                        () -> schedulers.stream().allMatch(Scheduler::isIdle) ? List.of(work.call()) : List.<T>of());
                if (!result.isEmpty()) {
                    return result.getFirst();
                }
            }
        } finally {
            schedulers.forEach(scheduler -> scheduler.hold(false));
        }
    }

    /** The result of scheduler work, with the work's own exception. */
    static <T> T waited(CompletableFuture<T> result) throws Exception {
        try {
            return result.get();
        } catch (ExecutionException e) {
            throw e.getCause() instanceof Exception cause ? cause : e;
        }
    }

    /** Ends every scheduler after the step it is in. */
    @Override
    public void close() {
        stopping.lock();
        try {
            closed = true;
            schedulers.forEach(Scheduler::close);
        } finally {
            stopping.unlock();
        }
    }
}
