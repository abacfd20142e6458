package dev.sluice.domain.request;

import dev.sluice.domain.environment.EnvironmentHook;
import dev.sluice.domain.request.RequestRule.Findings;
import dev.sluice.events.Rollout;
import dev.sluice.events.Rollout.PartialRollout;
import dev.sluice.events.Rollout.Turns;
import dev.sluice.events.TrainingRequest;
import java.util.List;

/** Rules about responses in which an environment takes turns. Whether an instance may ask it only the instance knows. */
final class TurnRules {
    static final List<RequestRule> ALL = List.of(
            new RequestRule("turns.hook", "the environment is a name or an address", TurnRules::hook),
            new RequestRule("turns.time", "an environment answers before its group's time is over", TurnRules::time),
            new RequestRule("turns.lag", "new weights between two turns do not undo them", TurnRules::lag));

    private TurnRules() {}

    private static void hook(TrainingRequest request, Facts facts, Findings findings) {
        Turns turns = request.rollout().turns();
        if (turns != null) {
            EnvironmentHook.objection(turns.hook())
                    .ifPresent(problem -> findings.error(
                            "rollout.turns.hook",
                            problem,
                            "give own:NAME, or an address such as http://tools.example:8090/turn"));
        }
    }

    private static void time(TrainingRequest request, Facts facts, Findings findings) {
        Turns turns = request.rollout().turns();
        int deadline = request.rollout().groupDeadlineSeconds();
        if (turns != null && turns.turnTimeoutSeconds() >= deadline) {
            findings.warning(
                    "rollout.turns.turnTimeoutSeconds",
                    "one turn of the environment may take %d s of the %d s in which its group must be done"
                            .formatted(turns.turnTimeoutSeconds(), deadline),
                    "lower it, or raise rollout.groupDeadlineSeconds");
        }
    }

    private static void lag(TrainingRequest request, Facts facts, Findings findings) {
        Rollout rollout = request.rollout();
        if (rollout.turns() != null
                && rollout.maxPolicyLag() > 0
                && rollout.partialRollout() == PartialRollout.RESTART) {
            findings.warning(
                    "rollout.partialRollout",
                    "weights that come between two turns make a conversation begin anew, and up to %d publications are allowed"
                            .formatted(rollout.maxPolicyLag()),
                    "set it to continue, or to continue_masked");
        }
    }
}
