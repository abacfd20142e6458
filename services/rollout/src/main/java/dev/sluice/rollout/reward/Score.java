package dev.sluice.rollout.reward;

import org.jspecify.annotations.Nullable;

/** A reward, or the reason why there is none. */
public record Score(@Nullable Double reward, @Nullable String unscored) {
    static Score of(double reward) {
        return new Score(reward, null);
    }

    /** No reward, because of that. */
    public static Score none(String reason) {
        return new Score(null, reason);
    }
}
