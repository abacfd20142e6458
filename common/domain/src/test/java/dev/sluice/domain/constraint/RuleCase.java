package dev.sluice.domain.constraint;

import dev.sluice.domain.candidate.Candidate;
import org.jspecify.annotations.Nullable;

/**
 * A candidate and what one rule says of it.
 *
 * @param what the candidate in words
 * @param told what the rule's message contains; absent where the candidate keeps the rule
 */
record RuleCase(
        String rule,
        String what,
        Candidate candidate,
        @Nullable String told) {
    static RuleCase keeps(String rule, String what, Candidate candidate) {
        return new RuleCase(rule, what, candidate, null);
    }

    static RuleCase keeps(String rule, String what, CandidateDraft draft) {
        return keeps(rule, what, draft.build());
    }

    static RuleCase breaks(String rule, String what, CandidateDraft draft, String told) {
        return new RuleCase(rule, what, draft.build(), told);
    }

    boolean broken() {
        return told != null;
    }

    @Override
    public String toString() {
        return "%s %s %s".formatted(rule, broken() ? "refuses" : "accepts", what);
    }
}
