package dev.sluice.domain.constraint;

import dev.sluice.domain.candidate.Candidate;
import dev.sluice.domain.candidate.EngineSide;
import dev.sluice.domain.constraint.Constraint.Breach;
import dev.sluice.domain.constraint.Constraint.Severity;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** How long sequences may be. */
final class SequenceConstraints {
    /** What slime sets where a script gives no {@code --seq-length}; batches are packed, so it bounds nothing. */
    private static final int SLIME_SEQUENCE = 4096;

    static final List<Constraint> ALL = List.of(
            new Constraint(
                    "M14",
                    Severity.ERROR,
                    "training.layout.cp",
                    "2*CP divides the sequence length where CP is above 1",
                    "Megatron arguments.py validate_args",
                    SequenceConstraints::chunks),
            new Constraint(
                    "M15",
                    Severity.ERROR,
                    "rollout.maxResponseTokens",
                    "the longest sequence fits the model's positions",
                    "Megatron validate_args; planner: the longest prompt and response together",
                    SequenceConstraints::positions));

    private SequenceConstraints() {}

    private static @Nullable Breach chunks(Candidate candidate) {
        int cp = candidate.training().layout().cp();
        int length = Given.count(candidate, "--seq-length", Given.script(candidate) ? SLIME_SEQUENCE : 0);
        if (cp <= 1 || length < 1 || length % (2L * cp) == 0) {
            return null;
        }
        long padded = Math.ceilDiv(length, 2L * cp) * 2 * cp;
        return new Breach(
                "a sequence length of %d is not a multiple of 2*CP = %d: each rank takes two chunks"
                        .formatted(length, 2L * cp),
                "set --seq-length to %d, or training.layout.cp to a power of 2".formatted(padded));
    }

    private static @Nullable Breach positions(Candidate candidate) {
        int longest = candidate.workload().contextTokens();
        EngineSide engine = candidate.engine();
        int drafts = engine == null ? 0 : engine.speculation().reservedTokens();
        int positions = candidate.model().maxContextTokens();
        if (positions < 1 || longest + drafts <= positions) {
            return null;
        }
        boolean bounded = candidate.workload().maxContextTokens() > 0;
        return new Breach(
                "a sequence of %d tokens (%s)%s exceeds the model's %d positions"
                        .formatted(
                                longest,
                                bounded
                                        ? "prompt, response and tool turns"
                                        : "%d of the prompt and %d of the response"
                                                .formatted(
                                                        candidate.workload().maxPromptTokens(),
                                                        candidate.workload().maxResponseTokens()),
                                drafts > 0 ? " with %d that SGLang keeps free for drafts".formatted(drafts) : "",
                                positions),
                bounded
                        ? "set rollout.maxContextTokens to at most %d".formatted(positions - drafts)
                        : "set rollout.maxResponseTokens to at most %d, or configure rope scaling"
                                .formatted(Math.max(
                                        1,
                                        positions
                                                - drafts
                                                - candidate.workload().maxPromptTokens())));
    }
}
