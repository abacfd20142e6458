package dev.sluice.domain.slime;

import dev.sluice.domain.shell.Place;
import dev.sluice.events.Problem;
import org.jspecify.annotations.Nullable;

/**
 * What an import has to say about one place of a script.
 *
 * @param flag the flag that it is about, absent where it is about the script
 * @param message what is so, with the numbers
 * @param mend what to change
 * @param rule the rule of the planner that says the same, where one does
 */
public record Finding(
        Kind kind,
        Severity severity,
        Place place,
        @Nullable String flag,
        String message,
        String mend,
        @Nullable String rule) {

    /** What a finding is about. */
    public enum Kind {
        /** The script cannot be read here, or a part of it was not. */
        SYNTAX("import.syntax"),
        /** Nobody knows this flag. */
        UNKNOWN("import.unknown-flag"),
        /** The flag is known, and a request has no place for it. */
        UNSUPPORTED("import.unsupported"),
        /** The flag's value cannot be, or is known only when the script runs. */
        VALUE("import.value"),
        /** The script does not say what a request must. */
        MISSING("import.missing"),
        /** Something was read in a way that is worth knowing. */
        NOTE("import.note");

        private final String rule;

        Kind(String rule) {
            this.rule = rule;
        }
    }

    /** What a finding means for the request. */
    public enum Severity {
        /** The request would train something else than the script does, or could not be made. */
        ERROR,
        /** The run differs from the script's in something that does not change what is trained. */
        WARNING,
        /** Nothing differs. */
        NOTE
    }

    /** Id of the rule that found it, such as {@code import.unknown-flag}, or the planner's, such as {@code R01}. */
    public String ruleId() {
        return rule == null ? kind.rule : rule;
    }

    /** The same as a problem of a request, whose path is the flag or the place. */
    public Problem problem() {
        String path = flag == null ? place.toString() : flag;
        String text = flag == null ? message : place + ": " + message;
        return severity == Severity.ERROR
                ? Problem.error(ruleId(), path, text, mend)
                : Problem.warning(ruleId(), path, text, mend);
    }
}
