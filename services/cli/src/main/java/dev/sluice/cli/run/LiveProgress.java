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
    /** Longer than any single wait of a healthy run; the trainer's own deadlines are shorter. */
    private static final Duration LONGEST_SILENCE = Duration.ofMinutes(5);

    private LiveProgress() {}

    /**
     * Returns when the run is over.
     *
     * @param broken ends with a reason when the services cannot go on
     * @throws CommandFailure if they cannot, or if nothing is heard of the run for five minutes
     */
    public static void show(RunFollower follower, Terminal terminal, CompletableFuture<String> broken) {
        Duration period = terminal.interactive() ? TERMINAL_PERIOD : PLAIN_PERIOD;
        String shown = "";
        long events = -1;
        long heardAt = System.nanoTime();
        while (true) {
            long deadline = System.nanoTime() + period.toNanos();
            Optional<RunPhase> over = Optional.empty();
            while (over.isEmpty() && System.nanoTime() < deadline && !broken.isDone()) {
                over = follower.await(LiveProgress::over, Duration.ofMillis(100));
            }
            String line = follower.look(ProgressLine::of);
            if (!line.equals(shown)) {
                terminal.progress(line);
                shown = line;
            }
            if (over.isPresent()) {
                return;
            }
            if (broken.isDone()) {
                throw CommandFailure.failed(broken.join());
            }
            long eventsNow = follower.look(RunProjection::events);
            heardAt = eventsNow == events ? heardAt : System.nanoTime();
            events = eventsNow;
            if (System.nanoTime() - heardAt > LONGEST_SILENCE.toNanos()) {
                throw CommandFailure.failed("nothing was heard of the run for " + LONGEST_SILENCE.toMinutes()
                        + " minutes; it was last seen here: " + line);
            }
        }
    }

    private static Optional<RunPhase> over(RunProjection run) {
        return run.phase().isOver() ? Optional.of(run.phase()) : Optional.empty();
    }
}
