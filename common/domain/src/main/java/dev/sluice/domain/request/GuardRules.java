package dev.sluice.domain.request;

import dev.sluice.domain.request.RequestRule.Findings;
import dev.sluice.domain.spelling.Spelling;
import dev.sluice.events.RunMetric;
import dev.sluice.events.TrainingRequest;
import dev.sluice.events.TrainingRequest.Guard;
import dev.sluice.events.TrainingRequest.GuardAction;
import java.util.Arrays;
import java.util.List;

/** Rules about bounds on figures. */
final class GuardRules {
    static final List<RequestRule> ALL = List.of(
            new RequestRule("guard.figure", "a guard looks at a figure that steps have", GuardRules::figure),
            new RequestRule("guard.rollback", "there are cuts to roll back to", GuardRules::rollback));

    private GuardRules() {}

    private static void figure(TrainingRequest request, Facts facts, Findings findings) {
        List<String> known = Arrays.stream(RunMetric.values())
                .filter(metric -> metric != RunMetric.EVALUATION_REWARD)
                .map(RunMetric::wireName)
                .toList();
        for (int i = 0; i < request.guards().size(); i++) {
            String figure = request.guards().get(i).figure();
            boolean ofSteps = RunMetric.find(figure)
                    .filter(metric -> metric != RunMetric.EVALUATION_REWARD)
                    .isPresent();
            if (!ofSteps) {
                findings.error(
                        "guards[%d].figure".formatted(i),
                        "%s is no figure of a step%s".formatted(figure, Spelling.didYouMean(figure, known)),
                        "give one of METRICS.md, such as %s, %s, %s or %s"
                                .formatted(
                                        RunMetric.GRADIENT_NORM.wireName(),
                                        RunMetric.KL.wireName(),
                                        RunMetric.LOGPROB_DIFFERENCE.wireName(),
                                        RunMetric.EQUAL_REWARD_GROUPS.wireName()));
            }
        }
    }

    private static void rollback(TrainingRequest request, Facts facts, Findings findings) {
        for (int i = 0; i < request.guards().size(); i++) {
            Guard guard = request.guards().get(i);
            if (guard.action() == GuardAction.ROLLBACK
                    && request.checkpoints().everySteps() >= request.training().steps()) {
                findings.warning(
                        "guards[%d].action".formatted(i),
                        "a rollback goes to the last cut, and with checkpoints.everySteps %d of %d steps there is none: it would begin anew"
                                .formatted(
                                        request.checkpoints().everySteps(),
                                        request.training().steps()),
                        "save more often");
            }
        }
    }
}
