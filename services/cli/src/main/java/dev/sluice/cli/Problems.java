package dev.sluice.cli;

import dev.sluice.events.EventJson;
import dev.sluice.events.Problem;
import java.util.List;

/** Shows what is wrong with a request. */
final class Problems {
    private Problems() {}

    static void show(Terminal terminal, String runId, List<Problem> problems) {
        if (terminal.json()) {
            var json = EventJson.mapper().createObjectNode();
            json.put("runId", runId).put("outcome", "rejected");
            json.set("problems", EventJson.mapper().valueToTree(problems));
            terminal.result(json.toPrettyString());
            return;
        }
        for (Problem problem : problems) {
            terminal.result(problem.path().isEmpty() ? problem.message() : problem.path() + ": " + problem.message());
            if (problem.mend() != null) {
                terminal.result("    " + problem.mend());
            }
        }
        terminal.error("the request was rejected with " + problems.size() + " problems; nothing was started");
    }
}
