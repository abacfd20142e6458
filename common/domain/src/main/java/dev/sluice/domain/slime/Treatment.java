package dev.sluice.domain.slime;

import java.util.List;
import org.jspecify.annotations.Nullable;

/** What an import makes of a flag. */
sealed interface Treatment {
    /** The flag's value alone is a value of the request. */
    record Maps(String path, Kind kind) implements Treatment {}

    /** A value of the request follows from this flag and others. */
    record Joins(String path) implements Treatment {}

    /**
     * Sluice does so anyway.
     *
     * @param accepted values for which that is true, empty for all
     * @param otherwise what any other value is
     * @param why how Sluice does it
     */
    record Given(List<String> accepted, Otherwise otherwise, String why, String mend) implements Treatment {}

    /**
     * A request has no place for the flag.
     *
     * @param neutral values that mean nothing, beside the default
     * @param why what Sluice does instead
     */
    record Unsupported(List<String> neutral, Otherwise otherwise, String why, String mend) implements Treatment {}

    /** The model's shape, which follows from its config.json. */
    record Shape() implements Treatment {}

    /** A further flag of Megatron, for {@code training.megatron}. */
    record Megatron() implements Treatment {}

    /** A further flag of SGLang, for {@code rollout.sglang}. */
    record Sglang() implements Treatment {}

    /** How a value is written in a request. */
    enum Kind {
        WHOLE,
        NUMBER,
        TEXT,
        /** True where the flag is given. */
        FLAG,
        /** False where the flag is given. */
        OFF
    }

    /**
     * What a value is that Sluice cannot follow.
     *
     * @param severity absent where the flag goes to {@code training.megatron} instead
     * @param rule the planner's rule that says the same, where one does
     */
    record Otherwise(
            Finding.@Nullable Severity severity, @Nullable String rule) {}
}
