package dev.sluice.domain.guard;

import dev.sluice.events.TrainingRequest.Guard;

/**
 * A guard whose bound was passed often enough.
 *
 * @param step the step that was one too many
 * @param value its figure
 */
public record GuardTrip(Guard guard, int step, double value) {
    /** For people. */
    public String reason() {
        return "%s is %s at step %d, above %s%s"
                .formatted(
                        guard.figure(),
                        value,
                        step,
                        guard.above(),
                        guard.forSteps() > 1 ? " for %d steps".formatted(guard.forSteps()) : "");
    }
}
