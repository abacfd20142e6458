package dev.sluice.rollout.sampling;

import org.jspecify.annotations.Nullable;

/** A reward, or the reason why there is none. */
record Score(@Nullable Double reward, @Nullable String unscored) {
    static Score of(double reward) {
        return new Score(reward, null);
    }

    static Score none(String reason) {
        return new Score(null, reason);
    }
}
