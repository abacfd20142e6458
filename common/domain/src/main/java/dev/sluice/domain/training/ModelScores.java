package dev.sluice.domain.training;

import org.jspecify.annotations.Nullable;

/**
 * What models said of a batch's tokens before its step, f32[T] each; absent where no coefficient uses it.
 *
 * @param old log-probabilities of the policy, nats
 * @param reference log-probabilities of the reference, nats
 * @param teacher log-probabilities of the teacher, nats
 * @param values the critic's, in rewards
 */
public record ModelScores(
        float @Nullable [] old, float @Nullable [] reference, float @Nullable [] teacher, float @Nullable [] values) {
    /** No model was asked. */
    public static final ModelScores NONE = new ModelScores(null, null, null, null);
}
