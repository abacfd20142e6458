package dev.sluice.domain.training;

import org.jspecify.annotations.Nullable;

/**
 * Advantages of a batch's tokens, 0 at prompt tokens.
 *
 * @param advantages f32[T]
 * @param returns f32[T], what a critic is to learn; absent without one
 * @param divergence mean over the trained tokens of the divergence from the reference that rewards were lowered by, nats;
 *     absent where they were not
 * @param teacherDivergence mean over the trained tokens of the log-ratio of policy to teacher, nats; absent without one
 */
public record TokenAdvantages(
        float[] advantages,
        float @Nullable [] returns,
        @Nullable Double divergence,
        @Nullable Double teacherDivergence) {}
