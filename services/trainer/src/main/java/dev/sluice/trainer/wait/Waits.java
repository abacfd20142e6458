package dev.sluice.trainer.wait;

import dev.sluice.events.TrainingEvent.WaitChanged;
import dev.sluice.trainer.log.RunJournal;
import dev.sluice.trainer.run.TrainedRun;
import dev.sluice.trainer.worker.Worker;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Waits of the training thread: each has a bound, and one that lasts is shown to people with its reason. */
public final class Waits {
    /** How soon a wait that lasts tells first how things stand, and at most how late again: what it tells stays in the log. */
    private static final Duration SHOWN_FIRST = Duration.ofSeconds(10);

    private static final Duration SHOWN_SLOWEST = Duration.ofMinutes(2);

    /** A call's own bound comes first, and says more. */
    private static final Duration CALL_GRACE = Duration.ofMinutes(1);

    private static final Logger LOG = LoggerFactory.getLogger(Waits.class);

    private final TrainedRun run;
    private final RunJournal journal;
    private final Duration shownAfter;
    private final Clock clock;
    private final Supplier<String> called;

    public Waits(TrainedRun run, RunJournal journal, Duration shownAfter, Clock clock) {
        this(run, journal, shownAfter, clock, () -> "");
    }

    private Waits(TrainedRun run, RunJournal journal, Duration shownAfter, Clock clock, Supplier<String> called) {
        this.called = called;
        this.run = run;
        this.journal = journal;
        this.shownAfter = shownAfter;
        this.clock = clock;
    }

    /** The same for calls of a worker. */
    public Waits of(Worker worker) {
        return new Waits(run, journal, shownAfter, clock, worker::situation);
    }

    /** Waits for a while. */
    @FunctionalInterface
    public interface Attempt {
        /** Whether it came within the time. */
        boolean within(Duration time) throws InterruptedException;
    }

    /**
     * Waits.
     *
     * @param wait which of the waits this is
     * @param which of several, such as a step; empty where there is one
     * @param situation how things stand, asked while the wait lasts
     * @throws WaitOverdueException after the bound
     */
    public void await(RunWait wait, String which, Supplier<String> situation, Duration bound, Attempt attempt)
            throws InterruptedException {
        if (!wait.isShown()) {
            throw new IllegalArgumentException(wait + " is said not to be shown");
        }
        String what = which.isEmpty() ? wait.what() : which;
        Instant since = clock.instant();
        if (attempt.within(shownAfter)) {
            return;
        }
        Instant deadline = since.plus(bound);
        String shown = "";
        Duration pause = SHOWN_FIRST;
        while (true) {
            String now = situation.get();
            if (!now.equals(shown)) {
                shown = now;
                LOG.info("waits runId={} for={} because={}", run.runId(), what, now);
                journal.append(new WaitChanged(run.runId(), run.epoch(), what, now, since, deadline));
            }
            Duration left = Duration.between(clock.instant(), deadline);
            if (!left.isPositive()) {
                throw new WaitOverdueException("%s did not come within %s: %s".formatted(what, bound, situation.get()));
            }
            if (attempt.within(left.compareTo(pause) < 0 ? left : pause)) {
                journal.append(new WaitChanged(run.runId(), run.epoch(), "", "", clock.instant(), null));
                return;
            }
            pause = pause.multipliedBy(2).compareTo(SHOWN_SLOWEST) < 0 ? pause.multipliedBy(2) : SHOWN_SLOWEST;
        }
    }

    /** Waits for a future. */
    public <T> T await(RunWait wait, String reason, Duration bound, CompletableFuture<T> future)
            throws InterruptedException {
        await(wait, "", () -> reason, bound, time -> isDone(future, time));
        return future.join();
    }

    /**
     * Waits for a call that has a bound of its own and ends at it.
     *
     * @param which call this is, for people
     */
    public <T> T call(RunWait wait, String which, Duration bound, Supplier<T> call) throws InterruptedException {
        CompletableFuture<T> answer = new CompletableFuture<>();
        Thread.ofVirtual().name("call-" + wait.name()).start(() -> {
            try {
                answer.complete(call.get());
            } catch (RuntimeException | Error e) {
                answer.completeExceptionally(e);
            }
        });
        await(wait, which, called, bound.plus(CALL_GRACE), time -> isDone(answer, time));
        try {
            return answer.join();
        } catch (CompletionException e) {
            if (e.getCause() instanceof RuntimeException cause) {
                throw cause;
            }
            throw e;
        }
    }

    private static boolean isDone(CompletableFuture<?> future, Duration time) throws InterruptedException {
        try {
            future.get(time.toNanos(), TimeUnit.NANOSECONDS);
            return true;
        } catch (TimeoutException e) {
            return false;
        } catch (ExecutionException e) {
            return true; // join throws the cause
        }
    }
}
