package dev.sluice.domain.reward.math;

/** An expression has no value here: it is no expression, too large, divided by zero, or not a number of the field. */
final class UndecidedException extends RuntimeException {
    UndecidedException(String why) {
        // Thrown for every answer that is prose: nobody looks at the stack.
        super(why, null, false, false);
    }
}
