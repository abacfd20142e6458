package dev.sluice.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.sluice.cli.plan.PlanPage;
import dev.sluice.cli.run.PlannerClient;
import dev.sluice.domain.request.RequestReader;
import dev.sluice.domain.request.RequestReader.Reading;
import dev.sluice.events.EventJson;
import dev.sluice.events.Plan;

/** Shows how a request would run. */
record DryRun(Terminal terminal, PlannerClient planner) {
    int show(ObjectNode request) {
        PlannerClient.Answer answer = planner.plan(request);
        Plan plan = answer.plan();
        if (!answer.feasible() || plan == null) {
            Problems.show(terminal, request.path("name").asText("request"), answer.problems());
            return ExitCode.USAGE;
        }
        if (terminal.json()) {
            terminal.result(EventJson.mapper().valueToTree(plan).toPrettyString());
            return ExitCode.OK;
        }
        if (RequestReader.read(request) instanceof Reading.Complete complete) {
            terminal.result(new PlanPage(complete.request(), plan, terminal.columns()).text());
        }
        return ExitCode.OK;
    }
}
