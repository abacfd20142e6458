package dev.sluice.domain.constraint;

import dev.sluice.domain.candidate.Candidate;
import dev.sluice.events.Problem;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * One rule that a candidate must keep.
 *
 * @param id short and stable, such as {@code M02}; problems carry it
 * @param path the place in a request that breaks it, such as {@code training.layout.ep}
 * @param about what must hold, one line
 * @param source where the rule comes from, such as {@code Megatron arguments.py validate_args}
 */
public record Constraint(String id, Severity severity, String path, String about, String source, Check check) {

    /** What breaking a constraint means. */
    public enum Severity {
        /** The run would not start, or would train the wrong thing. */
        ERROR,
        /** The run starts; it is slower, larger or stranger than it need be. */
        WARNING,
        /** The planner writes the right value itself and says so. */
        FIX
    }

    /** Looks at a candidate; called thousands of times in a search, so it formats nothing unless the rule is broken. */
    @FunctionalInterface
    public interface Check {
        /** What is wrong; null when the constraint holds or does not apply. */
        @Nullable
        Breach look(Candidate candidate);
    }

    /**
     * A broken constraint.
     *
     * @param message what is wrong, with the numbers
     * @param mend what to change
     * @param mild whether this much is only a warning, whatever the constraint's severity
     */
    public record Breach(String message, String mend, boolean mild) {
        public Breach(String message, String mend) {
            this(message, mend, false);
        }
    }

    /** The problem to report; empty when the constraint holds. */
    public Optional<Problem> problem(Candidate candidate) {
        Breach breach = check.look(candidate);
        if (breach == null) {
            return Optional.empty();
        }
        return Optional.of(
                severity == Severity.ERROR && !breach.mild()
                        ? Problem.error(id, path, breach.message(), breach.mend())
                        : Problem.warning(id, path, breach.message(), breach.mend()));
    }
}
