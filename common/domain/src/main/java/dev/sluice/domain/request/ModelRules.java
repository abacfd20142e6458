package dev.sluice.domain.request;

import dev.sluice.domain.request.RequestRule.Findings;
import dev.sluice.domain.reward.RewardType;
import dev.sluice.domain.training.AdvantageEstimator;
import dev.sluice.events.Algorithm;
import dev.sluice.events.Backend;
import dev.sluice.events.Rollout;
import dev.sluice.events.TrainingRequest;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Rules about models beside the policy: the reference, the teacher and the critic. */
final class ModelRules {
    static final List<RequestRule> ALL = List.of(
            new RequestRule("algorithm.reference", "a divergence counts where it is read", ModelRules::reference),
            new RequestRule("algorithm.checkpoints", "further models can be loaded", ModelRules::checkpoints),
            new RequestRule("algorithm.distillation", "a teacher is asked for something", ModelRules::distillation),
            new RequestRule("algorithm.critic", "a critic belongs to ppo", ModelRules::critic));

    private ModelRules() {}

    private static void reference(TrainingRequest request, Facts facts, Findings findings) {
        Algorithm algorithm = request.algorithm();
        boolean inRewards = algorithm.klRewardCoefficient() > 0;
        if (inRewards && algorithm.klLossCoefficient() > 0) {
            findings.error(
                    "algorithm.klRewardCoefficient",
                    "the divergence counts twice: %s in the rewards and %s in the loss"
                            .formatted(algorithm.klRewardCoefficient(), algorithm.klLossCoefficient()),
                    "set one of klRewardCoefficient and klLossCoefficient to 0");
        }
        boolean reads = AdvantageEstimator.named(algorithm.name())
                .map(AdvantageEstimator::rewardsTokens)
                .orElse(true);
        if (inRewards && !reads) {
            findings.error(
                    "algorithm.klRewardCoefficient",
                    "%s compares whole responses: no token has a reward that a divergence could lower"
                            .formatted(algorithm.name()),
                    "set it to 0 and give algorithm.klLossCoefficient");
        }
        if (algorithm.reference() != null && !algorithm.usesReference()) {
            findings.warning(
                    "algorithm.reference",
                    "no coefficient uses it, so it is not loaded",
                    "leave it out, or give algorithm.klLossCoefficient");
        }
        if (algorithm.referenceUpdateSteps() > 0 && !algorithm.usesReference()) {
            findings.warning(
                    "algorithm.referenceUpdateSteps",
                    "no coefficient uses a reference, so none is loaded that could be updated",
                    "leave it out, or give algorithm.klLossCoefficient");
        }
        if (algorithm.unbiasedKl() && algorithm.klLossCoefficient() == 0) {
            findings.warning(
                    "algorithm.unbiasedKl",
                    "it weighs the KL loss, whose coefficient is 0",
                    "leave it out, or give algorithm.klLossCoefficient");
        }
    }

    private static void checkpoints(TrainingRequest request, Facts facts, Findings findings) {
        Algorithm algorithm = request.algorithm();
        checkpoint("algorithm.reference", algorithm.reference(), facts, findings);
        checkpoint("algorithm.distillation.teacher", algorithm.distillation().teacherCheckpoint(), facts, findings);
    }

    private static void checkpoint(String place, @Nullable String path, Facts facts, Findings findings) {
        String problem = path == null ? null : facts.unusable().get(path);
        if (problem != null) {
            findings.hindrance(place, problem, "give the directory of a complete checkpoint of the model's family");
        }
    }

    private static void distillation(TrainingRequest request, Facts facts, Findings findings) {
        Algorithm.Distillation distillation = request.algorithm().distillation();
        if (distillation.teacher() != null && distillation.coefficient() == 0) {
            findings.warning(
                    "algorithm.distillation.coefficient",
                    "0 learns nothing from the teacher, which is not loaded",
                    "set it above 0, or leave algorithm.distillation out");
        }
        if (distillation.asksServer()) {
            servedTeacher(request, findings);
        }
    }

    private static void servedTeacher(TrainingRequest request, Findings findings) {
        String place = "algorithm.distillation.teacher";
        String teacher = String.valueOf(request.algorithm().distillation().teacher());
        RewardType.objection(teacher)
                .or(() -> teacher.contains("?") ? Optional.of("the url has a query") : Optional.empty())
                .ifPresent(problem -> findings.error(
                        place,
                        problem,
                        "give http(s)://host:port of an SGLang server, or the directory of a checkpoint"));
        if (teacher.endsWith("/generate") || teacher.endsWith("/generate/")) {
            findings.error(place, "the address names a call, not the server", "leave /generate out");
        }
        Rollout rollout = request.rollout();
        if (rollout.temperature() != 1 || rollout.topP() != 1 || rollout.topK() > 0) {
            findings.warning(
                    place,
                    "a server tells log-probabilities at temperature 1 over the whole vocabulary, the policy's are at temperature %s, top p %s and top k %s: the policy learns to be the teacher at those"
                            .formatted(rollout.temperature(), rollout.topP(), rollout.topK()),
                    "sample at temperature 1 without top p and top k, or give the teacher's checkpoint");
        }
    }

    private static void critic(TrainingRequest request, Facts facts, Findings findings) {
        Algorithm algorithm = request.algorithm();
        boolean ppo = algorithm.name().equals(AdvantageEstimator.PPO.wireName());
        if (!ppo && algorithm.lambda() != 1) {
            findings.error(
                    "algorithm.lambda",
                    "%s has no critic whose values %s would weigh".formatted(algorithm.name(), algorithm.lambda()),
                    "leave it out, or set algorithm.name to ppo");
        }
        if (!ppo && algorithm.critic().onlySteps() > 0) {
            findings.error(
                    "algorithm.critic.onlySteps",
                    "%s has no critic to be trained alone".formatted(algorithm.name()),
                    "leave it out, or set algorithm.name to ppo");
        }
        if (ppo && request.backend() == Backend.GPU) {
            findings.hindrance(
                    "algorithm.name",
                    "no plan for GPUs counts the memory of a critic beside the policy",
                    "use an algorithm without one, such as grpo, or set backend to cpu");
        }
        if (ppo && algorithm.critic().onlySteps() >= request.training().steps()) {
            findings.error(
                    "algorithm.critic.onlySteps",
                    "in all %d steps the critic alone would be trained"
                            .formatted(request.training().steps()),
                    "set it below training.steps");
        }
    }
}
