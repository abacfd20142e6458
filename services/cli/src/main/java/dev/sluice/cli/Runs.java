package dev.sluice.cli;

import dev.sluice.cli.run.RunProjection;

/** Checks what a person says about runs. */
final class Runs {
    private Runs() {}

    /** @throws CommandFailure if no event is known of the run */
    static RunProjection require(RunProjection run) {
        if (run.events() == 0) {
            throw CommandFailure.usage("there is no run " + run.runId() + "; \"sluice status\" lists all");
        }
        return run;
    }
}
