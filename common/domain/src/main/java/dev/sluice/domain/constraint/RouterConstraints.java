package dev.sluice.domain.constraint;

import dev.sluice.domain.candidate.Candidate;
import dev.sluice.domain.constraint.Constraint.Breach;
import dev.sluice.domain.constraint.Constraint.Severity;
import dev.sluice.domain.model.ModelSpec.Experts;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** How the router scores and chooses experts. */
final class RouterConstraints {
    private static final String SCORES = "--moe-router-score-function";

    /** From so many experts on Megatron advises routing in fp32. */
    private static final int MANY_EXPERTS = 32;

    static final List<Constraint> ALL = List.of(
            new Constraint(
                    "M27",
                    Severity.ERROR,
                    "training.megatron",
                    "a bias on the choice of experts needs scores that are no softmax",
                    "Megatron transformer_config",
                    RouterConstraints::bias),
            new Constraint(
                    "M28",
                    Severity.ERROR,
                    "training.megatron",
                    "one expert a token needs the softmax before the choice",
                    "Megatron transformer_config",
                    RouterConstraints::oneExpert),
            new Constraint(
                    "M29",
                    Severity.ERROR,
                    "training.megatron",
                    "experts divide into groups, of which a token uses some",
                    "Megatron transformer_config",
                    RouterConstraints::groups),
            new Constraint(
                    "M40",
                    Severity.WARNING,
                    "training.megatron",
                    "many experts are routed in fp32",
                    "Megatron transformer_config (a warning there)",
                    RouterConstraints::precision));

    private RouterConstraints() {}

    /** The score function: what a script gives, or what the planner derives from the model. */
    private static String scores(Candidate candidate, Experts experts) {
        return Given.text(candidate, SCORES, !Given.script(candidate) && experts.sigmoid() ? "sigmoid" : "softmax");
    }

    private static @Nullable Breach bias(Candidate candidate) {
        Experts experts = candidate.model().experts();
        if (experts == null) {
            return null;
        }
        boolean biased = Given.has(candidate, "--moe-router-enable-expert-bias")
                || !Given.script(candidate) && experts.expertBias();
        String scores = scores(candidate, experts);
        boolean softplus = scores.equals("sqrtsoftplus")
                && candidate.installed().megatron().atLeast("0.18");
        if (!biased || scores.equals("sigmoid") || softplus) {
            return null;
        }
        return new Breach(
                "a bias corrects the choice of experts, but scores are %s".formatted(scores),
                "set %s to sigmoid, or remove --moe-router-enable-expert-bias".formatted(SCORES));
    }

    private static @Nullable Breach oneExpert(Candidate candidate) {
        Experts experts = candidate.model().experts();
        if (experts == null
                || Given.count(candidate, "--moe-router-topk", experts.perToken()) != 1
                || !scores(candidate, experts).equals("softmax")
                || Given.has(candidate, "--moe-router-pre-softmax")
                || Given.text(candidate, "--moe-router-load-balancing-type", "").equals("sinkhorn")) {
            return null;
        }
        return new Breach(
                "a token takes 1 expert, whose softmax after the choice is always 1: the router would not learn",
                "add --moe-router-pre-softmax");
    }

    private static @Nullable Breach groups(Candidate candidate) {
        Experts experts = candidate.model().experts();
        if (experts == null) {
            return null;
        }
        boolean own = !Given.script(candidate) && experts.groups() > 1;
        int used = Given.count(candidate, "--moe-router-group-topk", own ? experts.groupsPerToken() : 0);
        int groups = Given.count(candidate, "--moe-router-num-groups", own ? experts.groups() : 0);
        if (used < 1 || groups > 0 && experts.count() % groups == 0 && used <= groups) {
            return null;
        }
        return new Breach(
                groups < 1
                        ? "a token uses %d groups of experts, but --moe-router-num-groups is not given".formatted(used)
                        : "%d experts do not divide into %d groups, of which a token uses %d"
                                .formatted(experts.count(), groups, used),
                "set --moe-router-num-groups to a divisor of %d that is at least %d".formatted(experts.count(), used));
    }

    private static @Nullable Breach precision(Candidate candidate) {
        int experts = candidate.model().expertCount();
        // The planner always writes fp32.
        if (experts < MANY_EXPERTS || !Given.script(candidate) || Given.has(candidate, "--moe-router-dtype")) {
            return null;
        }
        return new Breach(
                "%d experts are routed in bf16, which rounds near scores to equal ones".formatted(experts),
                "add --moe-router-dtype fp32");
    }
}
