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
            boolean named = problem.path().isEmpty() || problem.message().startsWith(problem.path());
            terminal.result(named ? problem.message() : problem.path() + ": " + problem.message());
            if (problem.mend() != null) {
                terminal.result("    " + problem.mend());
            }
        }
        String count = problems.size() == 1 ? "a problem" : problems.size() + " problems";
        terminal.error("the request was rejected with " + count + "; nothing was started");
    }
}
