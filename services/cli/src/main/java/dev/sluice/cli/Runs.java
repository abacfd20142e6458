package dev.sluice.cli;

import dev.sluice.cli.run.RunPhase;
import dev.sluice.cli.run.RunProjection;
import dev.sluice.events.EventJson;
import java.time.Duration;

/** What commands about one run have in common. */
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

    /** Says how a run stands after what was asked of it. */
    static void tell(Terminal terminal, String runId, RunPhase phase, String text) {
        terminal.result(
                terminal.json()
                        ? EventJson.mapper()
                                .createObjectNode()
                                .put("runId", runId)
                                .put("phase", phase.word())
                                .toPrettyString()
                        : "run " + runId + " " + text);
    }
}
