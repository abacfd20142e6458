package dev.sluice.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.sluice.cli.run.RequestFile;
import dev.sluice.cli.run.RunClient;
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
     * @throws CommandFailure if there is no such run, or a setting does not fit
     */
    static ObjectNode of(RunClient client, String earlier, List<String> settings) {
        ObjectNode request =
                EventJson.mapper().valueToTree(planned(client, earlier).request());
        request.withObjectProperty("checkpoints").put("resumeFrom", earlier);
        RequestFile.change(request, settings);
        return request;
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
