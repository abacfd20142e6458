package dev.sluice.rollout.engine;

import java.util.OptionalDouble;

/**
 * Judges by the tokens that a verification brings whether an engine's drafts are what they were, and whether they pay. One
 * rule for both: below {@value #BREAK_EVEN} tokens a verification, drafting costs more than it brings; an engine that falls
 * there, or by {@value #FALL} of what the run's engines brought, is replaced once, because a fresh load mends a stale draft.
 * Where the figure stays, it is the weights and not the engine: drafts that do not pay are switched off for the run.
 */
final class DraftJudge {
    /** What is to be done about a window. */
    enum Verdict {
        PAYS,
        /** Far below the run's figure: this engine's draft is off. */
        FELL,
        /** It would be faster without. */
        LOSES
    }

    /** Verifications that are judged together: the mean is known to about 0.03 tokens then. */
    static final long WINDOW = 1_000;

    static final double BREAK_EVEN = 1.1;
    static final double FALL = 0.3;
    private static final double WEIGHT_OF_NEWEST = 0.2;

    private double baseline = Double.NaN;

    /** What the run's engines bring. */
    OptionalDouble baseline() {
        return Double.isNaN(baseline) ? OptionalDouble.empty() : OptionalDouble.of(baseline);
    }

    Verdict judge(double acceptLength) {
        boolean known = !Double.isNaN(baseline);
        boolean fell =
                known && (acceptLength < (1 - FALL) * baseline || acceptLength < BREAK_EVEN && baseline >= BREAK_EVEN);
        if (fell) {
            baseline = acceptLength; // the next one like it is no accident
            return Verdict.FELL;
        }
        baseline = known ? baseline + WEIGHT_OF_NEWEST * (acceptLength - baseline) : acceptLength;
        return acceptLength < BREAK_EVEN ? Verdict.LOSES : Verdict.PAYS;
    }
}
