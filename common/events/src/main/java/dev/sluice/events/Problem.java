package dev.sluice.events;

import org.jspecify.annotations.Nullable;

/** One thing that is wrong with a request, where it is and how to mend it. */
@About("One thing that is wrong with a request")
public record Problem(
        @About("Id of the rule that was broken") String rule,

        @About("error rejects the request, warning does not")
        Severity severity,

        @About("Dotted path into the request, such as rollout.groupsPerStep")
        String path,

        @About("What is wrong, with the numbers") String message,
        @About("What to change") @Nullable String mend) {

    public enum Severity {
        ERROR,
        WARNING
    }

    public static Problem error(String rule, String path, String message, String mend) {
        return new Problem(rule, Severity.ERROR, path, message, mend);
    }

    public static Problem warning(String rule, String path, String message, String mend) {
        return new Problem(rule, Severity.WARNING, path, message, mend);
    }
}
