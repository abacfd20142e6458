package dev.sluice.domain.request;

import dev.sluice.domain.request.RequestRule.Findings;
import dev.sluice.events.Algorithm;
import dev.sluice.events.Algorithm.CorrectionType;
import dev.sluice.events.Backend;
import dev.sluice.events.RunKind;
import dev.sluice.events.TrainingRequest;
import java.util.List;

/** Rules about what kind of run a request asks for, and about its place among others. */
final class KindRules {
    static final List<RequestRule> ALL = List.of(
            new RequestRule("algorithm.sft", "given answers are learnt by a worker alone", KindRules::supervised),
            new RequestRule("algorithm.sft-coefficients", "given answers have no old policy", KindRules::coefficients),
            new RequestRule("scheduling.owner", "quotas are kept by owner", KindRules::owner));

    private KindRules() {}

    private static void supervised(TrainingRequest request, Facts facts, Findings findings) {
        if (RunKind.of(request) != RunKind.SUPERVISED) {
            return;
        }
        if (request.backend() == Backend.GPU) {
            findings.hindrance(
                    "algorithm.name", "sft is planned for the cpu backend alone so far", "set backend to cpu");
        }
        if (request.training().steps() == 0) {
            findings.error(
                    "training.steps",
                    "sft samples nothing, so that a run of 0 steps does nothing",
                    "set it to rows / rollout.groupsPerStep for one pass over data.prompts");
        }
    }

    private static void coefficients(TrainingRequest request, Facts facts, Findings findings) {
        if (RunKind.of(request) != RunKind.SUPERVISED) {
            return;
        }
        Algorithm algorithm = request.algorithm();
        refuse(algorithm.klLossCoefficient() > 0, "klLossCoefficient", findings);
        refuse(algorithm.entropyCoefficient() > 0, "entropyCoefficient", findings);
        refuse(algorithm.dualClip() != null, "dualClip", findings);
        refuse(Boolean.TRUE.equals(algorithm.whitenAdvantages()), "whitenAdvantages", findings);
        refuse(algorithm.mismatchCorrection().type() != CorrectionType.NONE, "mismatchCorrection.type", findings);
    }

    private static void refuse(boolean given, String key, Findings findings) {
        if (given) {
            findings.error(
                    "algorithm." + key,
                    "the loss of sft is the mean negative log-probability of the answers, and has no such term",
                    "leave it out");
        }
    }

    private static void owner(TrainingRequest request, Facts facts, Findings findings) {
        String owner = request.scheduling().owner();
        if (owner != null && !RunId.isValid(owner)) {
            findings.error(
                    "scheduling.owner",
                    "%s stands in the planner's configuration of quotas".formatted(owner),
                    "match " + RunId.PATTERN);
        }
    }
}
