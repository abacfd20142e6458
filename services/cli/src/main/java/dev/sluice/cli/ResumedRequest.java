package dev.sluice.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.sluice.cli.run.RequestFile;
import dev.sluice.cli.run.RunClient;
import dev.sluice.cli.run.RunPhase;
import dev.sluice.cli.run.RunProjection;
import dev.sluice.domain.spelling.Spelling;
import dev.sluice.events.EventJson;
import dev.sluice.events.RunEvent.RunPlanned;
import java.util.List;

/** The request of a run that goes on from an earlier one. */
final class ResumedRequest {
    private ResumedRequest() {}

    /**
     * The earlier run's own request, with other values.
     *
     * @throws CommandFailure if there is no such run, nothing of it to go on from or to train, or a setting does not fit
     */
    static ObjectNode of(RunClient client, String earlier, List<String> settings) {
        ObjectNode request =
                EventJson.mapper().valueToTree(planned(client, earlier).request());
        request.withObjectProperty("checkpoints").put("resumeFrom", earlier);
        RequestFile.change(request, settings);
        requireSteps(
                client.read(earlier), request.path("training").path("steps").asInt());
        return request;
    }

    /** Of a run that goes on, or whose cuts may be broken, planner and trainer say more. */
    static void requireSteps(RunProjection earlier, int steps) {
        if (earlier.phase().isOver() && earlier.saved() == null) {
            throw CommandFailure.usage("run %s has no cut to go on from; start a new run with: sluice run REQUEST"
                    .formatted(earlier.runId()));
        }
        int trained = earlier.ledger().lastStep();
        if (earlier.phase() == RunPhase.SUCCEEDED && steps <= trained) {
            throw CommandFailure.usage(
                    "run %s is trained up to step %d; give more, the steps before included: --set training.steps=%d"
                            .formatted(earlier.runId(), trained, 2 * trained));
        }
    }

    /** @throws CommandFailure if no run of this id was planned */
    static RunPlanned planned(RunClient client, String runId) {
        RunProjection run = client.read(runId);
        RunPlanned planned = run.planned();
        if (planned == null) {
            throw CommandFailure.usage("there is no run %s that was planned%s; \"sluice status\" lists all"
                    .formatted(
                            runId, Spelling.didYouMean(runId, client.readAll().keySet())));
        }
        return planned;
    }
}
