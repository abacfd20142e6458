package dev.sluice.trainer.loop;

import dev.sluice.events.TrainingEvent.WaitChanged;
import dev.sluice.trainer.log.RunJournal;
import dev.sluice.trainer.run.TrainedRun;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Supplier;

/** Waits of the training thread: each has a bound, and one that lasts is shown to people with its reason. */
final class Waits {
    /** How often a wait that lasts tells how things stand. */
    private static final Duration SHOWN_EVERY = Duration.ofSeconds(10);

    private final TrainedRun run;
    private final RunJournal journal;
    private final Duration shownAfter;
    private final Clock clock;

    Waits(TrainedRun run, RunJournal journal, Duration shownAfter, Clock clock) {
        this.run = run;
        this.journal = journal;
        this.shownAfter = shownAfter;
        this.clock = clock;
    }

    /** Waits for a while. */
    @FunctionalInterface
    interface Attempt {
        /** Whether it came within the time. */
        boolean within(Duration time) throws InterruptedException;
    }

    /**
     * Waits.
     *
     * @param what is waited for, in a few words
     * @param situation how things stand, asked while the wait lasts
     * @throws WaitOverdueException after the bound
     */
    void await(String what, Supplier<String> situation, Duration bound, Attempt attempt) throws InterruptedException {
        Instant since = clock.instant();
        if (attempt.within(shownAfter)) {
            return;
        }
        Instant deadline = since.plus(bound);
        String shown = "";
        while (true) {
            String now = situation.get();
            if (!now.equals(shown)) {
                shown = now;
                journal.append(new WaitChanged(run.runId(), run.epoch(), what, now, since, deadline));
            }
            Duration left = Duration.between(clock.instant(), deadline);
            if (!left.isPositive()) {
                throw new WaitOverdueException("%s did not come within %s: %s".formatted(what, bound, situation.get()));
            }
            if (attempt.within(left.compareTo(SHOWN_EVERY) < 0 ? left : SHOWN_EVERY)) {
                journal.append(new WaitChanged(run.runId(), run.epoch(), "", "", clock.instant(), null));
                return;
            }
        }
    }

    /** Waits for a future. */
    <T> T await(String what, String reason, Duration bound, CompletableFuture<T> future) throws InterruptedException {
        await(what, () -> reason, bound, time -> isDone(future, time));
        return future.join();
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
