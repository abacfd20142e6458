package dev.sluice.cpu.engine;

import dev.sluice.cpu.model.Tensors;
import dev.sluice.sglang.PauseMode;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.function.Consumer;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * Decides which requests run, and runs them. One thread owns everything: other threads put calls into its mailbox, which it
 * serves between two steps, so that no lock is needed and nothing changes in the middle of a step.
 *
 * <p>A request is <em>held</em> (the engine is paused, or a weight update waits for the engine to be idle), then
 * <em>waiting</em>, then <em>running</em>.
 */
final class Scheduler implements AutoCloseable {
    /**
     * Fewer prompts than this share of all rows wait a few steps for company or for room: a prefill costs almost the same for
     * one prompt as for sixteen, and everything that runs waits for it.
     */
    private static final int WORTHWHILE_SHARE = 4;

    private static final int STEPS_TO_WAIT_FOR_COMPANY = 4;

    private static final Logger LOG = System.getLogger(Scheduler.class.getName());

    private final @Nullable Integer rank;
    private final Generator generator;
    private final StopCheck stops;
    private final TokenJournal journal;
    private final Meter meter;
    private final int capacityTokens;
    private final Consumer<Throwable> crashed;
    private final BlockingQueue<Runnable> mailbox = new LinkedBlockingQueue<>();
    private final Thread thread;

    private final RequestQueue queue;
    private final List<IdleWork> idleWork = new ArrayList<>();
    private @Nullable PauseMode pause;
    private int holds;
    private boolean memoryReleased;
    private int stepsSinceAdmission;
    private String weightVersion;
    private Figures.Ended ended = new Figures.Ended(0, 0, 0);
    private final RequestTimes times = new RequestTimes();
    private boolean closing;
    private double weightLoadSeconds;

    /** Work that waits until nothing runs. */
    private record IdleWork(Runnable work, CompletableFuture<?> result) {}

    /**
     * What a scheduler needs to know of its engine.
     *
     * @param rank the data-parallel rank that replies name; null where the engine has one alone
     */
    record Setup(
            @Nullable Integer rank,
            String weightVersion,
            StopCheck stops,
            LiveRequests live,
            TokenJournal journal,
            Meter meter,
            int capacityTokens) {}

    /**
     * Starts the thread.
     *
     * @param crashed told of an error that ended the thread; everything that ran or waited is lost
     */
    Scheduler(Generator generator, Setup setup, Consumer<Throwable> crashed) {
        this.generator = generator;
        this.rank = setup.rank();
        this.queue = new RequestQueue(setup.live());
        this.stops = setup.stops();
        this.journal = setup.journal();
        this.meter = setup.meter();
        this.capacityTokens = setup.capacityTokens();
        this.weightVersion = setup.weightVersion();
        this.crashed = crashed;
        this.thread = Thread.ofPlatform()
                .daemon()
                .name(rank == null ? "scheduler" : "scheduler-" + rank)
                .start(this::run);
    }

    /** Runs a piece of work between two steps, in the thread that may touch tensors. */
    <T> CompletableFuture<T> between(Callable<T> work) {
        CompletableFuture<T> result = new CompletableFuture<>();
        mailbox.add(() -> complete(result, work));
        return result;
    }

    /** Completes as soon as nothing runs. Cancelling it before then withdraws it. */
    CompletableFuture<Void> idle() {
        CompletableFuture<Void> result = new CompletableFuture<>();
        mailbox.add(() -> idleWork.add(new IdleWork(() -> complete(result, () -> null), result)));
        return result;
    }

    /** From now on new requests wait, until this was called as often with false. */
    CompletableFuture<Void> hold(boolean holding) {
        return between(() -> {
            holds += holding ? 1 : -1;
            if (mayRelease()) {
                queue.releaseHeld();
            }
            return null;
        });
    }

    /** Accepts requests, all or none. */
    CompletableFuture<Void> submit(List<GenerationRequest> requests, int maxQueued) {
        return between(() -> {
            if (queue.waiting() + queue.held() + requests.size() > maxQueued + generator.free()) {
                throw new RequestException(503, "The request queue is full.");
            }
            queue.accept(requests, stops, !mayRelease());
            return null;
        });
    }

    /** Ends the requests that match; those that ran keep what they have. */
    CompletableFuture<Void> abort(Predicate<String> rids) {
        return between(() -> {
            abortNow(rids, true);
            return null;
        });
    }

    /** Stops generation. When the result is there, it has stopped. */
    CompletableFuture<Void> pause(PauseMode mode) {
        return between(() -> {
            pause = mode;
            LOG.log(Level.INFO, "paused: mode={0} running={1} waiting={2}", mode, runningRequests(), queue.waiting());
            switch (mode) {
                case ABORT -> abortNow(rid -> true, false);
                case RETRACT -> retractAll();
                case IN_PLACE -> {}
            }
            return null;
        });
    }

    CompletableFuture<Void> resume() {
        return between(() -> {
            LOG.log(Level.INFO, "continued: held={0} waiting={1}", queue.held(), queue.waiting());
            pause = null;
            if (mayRelease()) {
                queue.releaseHeld();
            }
            return null;
        });
    }

    // What follows is called by work that runs in the scheduler's own thread.

    boolean isPaused() {
        return pause != null;
    }

    /** Whether nothing runs and nothing is about to; retracted requests do not count while the engine is paused. */
    boolean isIdle() {
        return generator.isIdle() && (queue.waiting() == 0 || pause == PauseMode.RETRACT);
    }

    int runningRequests() {
        return generator.running().size();
    }

    String weightVersion() {
        return weightVersion;
    }

    /** Averages since the start begin anew. */
    Void restartAverages() {
        meter.restartAverages(generator.counts());
        return null;
    }

    void labelWeights(String version) {
        weightVersion = version;
    }

    void weightsLoaded(double seconds) {
        weightLoadSeconds = seconds;
    }

    /** While memory is given back, requests wait. */
    void memoryReleased(boolean released) {
        memoryReleased = released;
    }

    void abortNow(Predicate<String> rids, boolean heldToo) {
        List<Sequence> leaving = generator.running().stream()
                .filter(sequence -> rids.test(sequence.request().rid()))
                .toList();
        generator.remove(leaving);
        abort(leaving);
        abort(queue.remove(rids, heldToo));
    }

    Figures figures() {
        return new Figures(
                generator.running().size(),
                queue.waiting(),
                queue.retracted(),
                queue.held(),
                queue.waitingTokens(),
                generator.usedTokens(),
                capacityTokens,
                isIdle() ? 0 : meter.throughput(),
                meter.acceptLength(),
                meter.acceptRate(),
                meter.averageAcceptLength(generator.counts()),
                generator.counts(),
                ended,
                weightLoadSeconds,
                times.buckets());
    }

    private void run() {
        Tensors.useOneThread();
        try {
            while (!closing) {
                serveMailbox();
                if (canAdvance()) {
                    advance();
                }
                serveIdleWork();
            }
        } catch (InterruptedException e) {
            // Closing.
        } catch (Exception | Error e) {
            crashed.accept(e);
        }
    }

    private void serveMailbox() throws InterruptedException {
        Runnable call = canAdvance() ? mailbox.poll() : mailbox.take();
        if (call != null && generator.isIdle()) {
            meter.resumed(generator.counts());
        }
        while (call != null) {
            call.run();
            call = mailbox.poll();
        }
    }

    private void serveIdleWork() {
        idleWork.removeIf(work -> work.result().isDone());
        if (!idleWork.isEmpty() && isIdle()) {
            idleWork.forEach(work -> work.work().run());
            idleWork.clear();
        }
    }

    private boolean mayRelease() {
        return pause == null && holds == 0;
    }

    private boolean canAdvance() {
        return pause == null && !memoryReleased && !closing && !(generator.isIdle() && queue.waiting() == 0);
    }

    private void advance() throws IOException {
        stepsSinceAdmission++;
        boolean worthwhile = generator.isIdle()
                || Math.min(queue.waiting(), generator.free()) * WORTHWHILE_SHARE >= generator.rows()
                || stepsSinceAdmission >= STEPS_TO_WAIT_FOR_COMPANY;
        if (queue.waiting() > 0 && worthwhile && generator.free() > 0) {
            stepsSinceAdmission = 0;
            end(generator.admit(queue.next(generator.free())));
        } else if (!generator.isIdle()) {
            end(generator.step());
        }
        meter.stepped(generator.counts());
        for (Sequence sequence : generator.running()) {
            if (sequence.frameIsDue()) {
                sequence.request().receiver().accept(sequence.snapshot(weightVersion, rank));
            }
        }
    }

    private void retractAll() {
        List<Sequence> running = generator.running();
        generator.remove(running);
        running.forEach(Sequence::retracted);
        queue.putBack(running);
        ended = new Figures.Ended(ended.requests(), ended.aborted(), ended.retractions() + running.size());
    }

    private void abort(List<Sequence> sequences) {
        sequences.forEach(Sequence::abort);
        end(sequences);
        ended = new Figures.Ended(ended.requests(), ended.aborted() + sequences.size(), ended.retractions());
    }

    private void end(List<Sequence> sequences) {
        for (Sequence sequence : sequences) {
            Sample sample = sequence.snapshot(weightVersion, rank);
            try {
                journal.ended(sample);
            } catch (IOException e) {
                throw new UncheckedIOException("the token journal cannot be written: " + e.getMessage(), e);
            }
            queue.ended(sequence);
            times.ended(sequence);
            sequence.request().receiver().accept(sample);
        }
        ended = new Figures.Ended(ended.requests() + sequences.size(), ended.aborted(), ended.retractions());
    }

    private static <T> void complete(CompletableFuture<T> result, Callable<T> work) {
        if (result.isDone()) {
            return;
        }
        try {
            result.complete(work.call());
        } catch (Exception e) {
            result.completeExceptionally(e);
        }
    }

    /** Ends the thread after the step it is in, and waits for it. */
    @Override
    public void close() {
        mailbox.add(() -> closing = true);
        try {
            thread.join();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
