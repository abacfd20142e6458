package dev.sluice.domain.constraint;

import dev.sluice.domain.candidate.Candidate;
import java.util.Set;

/**
 * One row of a table of constraints.
 *
 * @param passes a candidate to which the constraint applies and that keeps it
 * @param breaks a candidate that breaks it
 * @param message part of what is said
 * @param mend part of what is advised
 * @param beside ids of other constraints that the same candidate breaks
 */
record ConstraintRow(String id, Candidate passes, Candidate breaks, String message, String mend, Set<String> beside) {

    static ConstraintRow row(String id, Candidate passes, Candidate breaks, String message, String mend) {
        return new ConstraintRow(id, passes, breaks, message, mend, Set.of());
    }

    /** The same row, whose breaking candidate also breaks these. */
    ConstraintRow beside(String... ids) {
        return new ConstraintRow(id, passes, breaks, message, mend, Set.of(ids));
    }
}
