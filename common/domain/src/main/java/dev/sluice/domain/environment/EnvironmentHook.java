package dev.sluice.domain.environment;

import dev.sluice.domain.reward.RewardType;
import java.util.Optional;

/** Who a request names as environment. */
public sealed interface EnvironmentHook {
    /** An {@link EnvironmentFunction} of that name. */
    record Own(String name) implements EnvironmentHook {}

    /** Asked over HTTP. */
    record Remote(String url) implements EnvironmentHook {}

    static EnvironmentHook of(String hook) {
        return RewardType.of(hook) instanceof RewardType.Own own ? new Own(own.name()) : new Remote(hook);
    }

    /** What is wrong with the name or the address, if anything. */
    static Optional<String> objection(String hook) {
        return of(hook) instanceof Remote remote
                ? RewardType.objection(remote.url()).map(problem -> "is not of the form own:NAME, and " + problem)
                : Optional.empty();
    }
}
