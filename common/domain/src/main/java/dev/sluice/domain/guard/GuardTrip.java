package dev.sluice.domain.guard;

import dev.sluice.events.TrainingEvent.GuardTripped;
import dev.sluice.events.TrainingRequest.Guard;
import java.math.BigDecimal;
import java.math.MathContext;

/**
 * A guard whose bound was passed often enough.
 *
 * @param step the step that was one too many
 * @param value its figure
 */
public record GuardTrip(Guard guard, int step, double value) {
    private static final MathContext DIGITS = new MathContext(6);

    /** A trip that stands in the log. */
    public static GuardTrip of(GuardTripped event) {
        return new GuardTrip(
                new Guard(event.figure(), event.above(), event.steps(), event.action(), 0),
                event.step(),
                event.value());
    }

    /** For people. */
    public String reason() {
        return "%s is %s at step %d, above %s%s"
                .formatted(
                        guard.figure(),
                        readable(value),
                        step,
                        readable(guard.above()),
                        guard.forSteps() > 1 ? " for %d steps".formatted(guard.forSteps()) : "");
    }

    private static String readable(double figure) {
        return Double.isFinite(figure)
                ? new BigDecimal(figure).round(DIGITS).stripTrailingZeros().toPlainString()
                : Double.toString(figure);
    }
}
