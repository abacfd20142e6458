package dev.sluice.domain.replay;

import dev.sluice.events.TrainingRequest;
import org.jspecify.annotations.Nullable;

/**
 * Which steps of a run are trained again.
 *
 * @param from the last step that is as it was; training begins at the newest cut at or before it, 0 is the converted model
 * @param to the last step to train; absent: the last one of the log
 * @param changed the request that steps after {@code from} are trained with; absent: the run's own
 * @param save whether the result is saved as a cut
 */
public record ReplayOrder(
        String runId,
        int from,
        @Nullable Integer to,
        @Nullable TrainingRequest changed,
        boolean save) {
    public ReplayOrder {
        if (from < 0 || (to != null && to <= from)) {
            throw new IllegalArgumentException("steps after %d up to %s are none".formatted(from, to));
        }
    }
}
