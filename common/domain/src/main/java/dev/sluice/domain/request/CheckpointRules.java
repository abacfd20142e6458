package dev.sluice.domain.request;

import dev.sluice.domain.request.RequestRule.Findings;
import dev.sluice.events.TrainingRequest;
import dev.sluice.events.TrainingRequest.Checkpoints;
import java.util.List;

/** Rules about when a run is saved, what stays of that, and what it goes on from. */
final class CheckpointRules {
    static final List<RequestRule> ALL = List.of(
            new RequestRule("checkpoints.keep-every", "cuts that are to be kept are made", CheckpointRules::keepEvery),
            new RequestRule("checkpoints.keep-best", "the best cuts are measured", CheckpointRules::keepBest),
            new RequestRule("checkpoints.resume", "a run goes on from a run", CheckpointRules::resume));

    private CheckpointRules() {}

    private static void keepEvery(TrainingRequest request, Facts facts, Findings findings) {
        Checkpoints checkpoints = request.checkpoints();
        if (checkpoints.keepEvery() % checkpoints.everySteps() != 0) {
            findings.error(
                    "checkpoints.keepEvery",
                    "a cut is made every %d steps, so that step %d has none to keep"
                            .formatted(checkpoints.everySteps(), checkpoints.keepEvery()),
                    "set it to a multiple of checkpoints.everySteps");
        }
    }

    private static void keepBest(TrainingRequest request, Facts facts, Findings findings) {
        int cuts = request.checkpoints().everySteps();
        List<Integer> measured = request.evaluation().stream()
                .map(TrainingRequest.Evaluation::everySteps)
                .filter(steps -> steps > 0)
                .toList();
        boolean together = measured.stream().anyMatch(steps -> steps % cuts == 0 || cuts % steps == 0);
        if (request.checkpoints().keepBest() > 0 && measured.isEmpty()) {
            findings.error(
                    "checkpoints.keepBest",
                    "no held-out set is measured between steps, so no cut is better than another",
                    "set evaluation's everySteps, or leave it out");
        } else if (request.checkpoints().keepBest() > 0 && !together) {
            findings.warning(
                    "checkpoints.keepBest",
                    "few of the steps after which a cut is made (every %d) are measured".formatted(cuts),
                    "set evaluation's everySteps to %d or a divisor of it".formatted(cuts));
        }
    }

    private static void resume(TrainingRequest request, Facts facts, Findings findings) {
        String from = request.checkpoints().resumeFrom();
        if (from != null && !RunId.isValid(from)) {
            findings.error(
                    "checkpoints.resumeFrom",
                    "%s names no run".formatted(RequestShape.shortened(from)),
                    "give a run's id, which matches " + RunId.PATTERN);
        }
    }
}
