package dev.sluice.domain.constraint;

import dev.sluice.domain.candidate.Candidate;
import dev.sluice.domain.constraint.Constraint.Breach;
import dev.sluice.domain.constraint.Constraint.Severity;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** How long a run is and what it samples and measures. */
final class RunConstraints {
    static final List<Constraint> ALL = List.of(
            new Constraint(
                    "R14",
                    Severity.ERROR,
                    "data.maxPromptTokens",
                    "the longest prompt leaves room for a token",
                    "slime arguments.py slime_validate_args",
                    RunConstraints::roomForAToken),
            new Constraint(
                    "R15",
                    Severity.ERROR,
                    "training.steps",
                    "a run ends",
                    "slime slime_validate_args",
                    RunConstraints::length),
            new Constraint(
                    "R16",
                    Severity.ERROR,
                    "evaluation",
                    "an interval of evaluation has something to measure",
                    "slime slime_validate_args",
                    RunConstraints::evaluation));

    private RunConstraints() {}

    private static @Nullable Breach roomForAToken(Candidate candidate) {
        int prompt = candidate.workload().maxPromptTokens();
        int context = candidate.workload().maxContextTokens();
        if (context < 1 || prompt < context) {
            return null;
        }
        return new Breach(
                "a prompt of %d tokens leaves no room for a response in a context of %d".formatted(prompt, context),
                "set data.maxPromptTokens to at most %d, or raise rollout.maxContextTokens".formatted(context - 1));
    }

    private static @Nullable Breach length(Candidate candidate) {
        if (!Given.script(candidate) || Given.has(candidate, "--num-rollout") || Given.has(candidate, "--num-epoch")) {
            return null;
        }
        return new Breach("neither --num-rollout nor --num-epoch says when the run ends", "give --num-rollout");
    }

    private static @Nullable Breach evaluation(Candidate candidate) {
        if (!Given.has(candidate, "--eval-interval")
                || Given.has(candidate, "--eval-prompt-data")
                || Given.has(candidate, "--eval-config")) {
            return null;
        }
        return new Breach(
                "--eval-interval %s is given, but no held-out prompts"
                        .formatted(Given.text(candidate, "--eval-interval", "")),
                "give --eval-prompt-data or --eval-config, or remove --eval-interval");
    }
}
