package dev.sluice.rollout.task;

import org.jspecify.annotations.Nullable;

/**
 * What is asked for over HTTP.
 *
 * @param min the oldest weight version that may sample it; null for any
 * @param exact the only one; null where {@code min} is the bound
 * @param session the requests that share a conversation, and so a cache; null for a request on its own
 * @param hook the session of the sample that it is for, where a function of one's own generates it; null for others
 * @param samples that it asks for
 */
public record RoutedRequest(
        @Nullable Integer min,
        @Nullable Integer exact,
        @Nullable String session,
        @Nullable String hook,
        int samples) {
    /** Between the run and what nobody can guess, in the id of a hook's session. */
    public static final String SESSION_SEPARATOR = ":";
}
