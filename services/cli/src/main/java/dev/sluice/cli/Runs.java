package dev.sluice.cli;

import dev.sluice.cli.run.RunProjection;
import java.time.Duration;

/** Checks what a person says about runs. */
final class Runs {
    /** The longest deadline of a service's own waits is an hour; a service that keeps it says so by an event. */
    static final Duration LONGEST_SILENCE = Duration.ofHours(2);

    private Runs() {}

    /** @throws CommandFailure if no event is known of the run */
    static RunProjection require(RunProjection run) {
        if (run.events() == 0) {
            throw CommandFailure.usage("there is no run " + run.runId() + "; \"sluice status\" lists all");
        }
        return run;
    }
}
