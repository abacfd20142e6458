package dev.sluice.cli.run;

import dev.sluice.cli.CommandFailure;
import dev.sluice.cli.Terminal;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;

/** Shows a run until it is over: one living line on a terminal, else a line every few seconds. */
public final class LiveProgress {
    private static final Duration TERMINAL_PERIOD = Duration.ofMillis(250);
    private static final Duration PLAIN_PERIOD = Duration.ofSeconds(3);

    /** How soon a broken service is noticed. */
    private static final Duration GLANCE = Duration.ofMillis(100);

    private LiveProgress() {}

    /**
     * Returns when the run is over.
     *
     * @param broken ends with a reason when the services cannot go on
     * @param longestSilence without an event of the run; a large model may take long to load
     * @throws CommandFailure if they cannot, or if nothing was heard of the run for so long
     */
    public static void show(
            RunFollower follower, Terminal terminal, CompletableFuture<String> broken, Duration longestSilence) {
        Duration period = terminal.interactive() ? TERMINAL_PERIOD : PLAIN_PERIOD;
        String shown = "";
        long events = -1;
        long heardAt = System.nanoTime();
        Optional<RunPhase> over = Optional.empty();
        while (over.isEmpty()) {
            over = awaitEnd(follower, broken, period);
            String line = follower.look(ProgressLine::of);
            if (!line.equals(shown)) {
                terminal.progress(line);
                shown = line;
            }
            if (over.isEmpty() && broken.isDone()) {
                throw CommandFailure.failed(broken.join());
            }
            long eventsNow = follower.look(RunProjection::events);
            heardAt = eventsNow == events ? heardAt : System.nanoTime();
            events = eventsNow;
            if (over.isEmpty() && System.nanoTime() - heardAt > longestSilence.toNanos()) {
                throw CommandFailure.failed("nothing was heard of the run for " + longestSilence.toMinutes()
                        + " minutes; it was last seen here: " + line);
            }
        }
    }

    private static Optional<RunPhase> awaitEnd(
            RunFollower follower, CompletableFuture<String> broken, Duration period) {
        long deadline = System.nanoTime() + period.toNanos();
        Optional<RunPhase> over = Optional.empty();
        while (over.isEmpty() && System.nanoTime() < deadline && !broken.isDone()) {
            over = follower.await(LiveProgress::over, GLANCE);
        }
        return over;
    }

    private static Optional<RunPhase> over(RunProjection run) {
        return run.phase().isOver() ? Optional.of(run.phase()) : Optional.empty();
    }
}
