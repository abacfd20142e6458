package dev.sluice.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.sluice.cli.run.PlannerClient;
import dev.sluice.events.EventJson;
import dev.sluice.events.Plan;
import dev.sluice.events.Plan.EngineLayout;
import dev.sluice.events.Plan.TrainingLayout;
import dev.sluice.events.Problem;

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
        TrainingLayout training = plan.training().layout();
        EngineLayout engine = plan.rollout().layout();
        terminal.result("the request can run; nothing was started");
        terminal.result("  model     %s, %,d parameters, %,d of them active"
                .formatted(
                        plan.model().modelType(),
                        plan.model().totalParameters(),
                        plan.model().activeParameters()));
        terminal.result("  training  TP %d, PP %d, CP %d, EP %d, ETP %d, DP %d; %.1f GiB a GPU, %.1f GiB a host"
                .formatted(
                        training.tp(),
                        training.pp(),
                        training.cp(),
                        training.ep(),
                        training.etp(),
                        training.dp(),
                        plan.training().memory().gpuGiB(),
                        plan.training().memory().hostGiBPerNode()));
        terminal.result("  rollout   %d engines of TP %d, DP %d, EP %d; %,d tokens in the KV cache of a rank"
                .formatted(
                        plan.rollout().engines(),
                        engine.tp(),
                        engine.dp(),
                        engine.ep(),
                        plan.rollout().kvTokensPerRank()));
        plan.choices()
                .forEach(choice -> terminal.result(
                        "  %s = %s, because %s".formatted(choice.decision(), choice.value(), choice.because())));
        for (Problem warning : answer.problems()) {
            terminal.result("  warning: " + warning.path() + ": " + warning.message());
        }
        return ExitCode.OK;
    }
}
