package dev.sluice.domain.constraint;

import dev.sluice.domain.candidate.Candidate;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * A candidate and what one rule says of it.
 *
 * @param what the candidate in words
 * @param told part of the rule's message; absent where the candidate keeps the rule
 * @param mend part of what is advised
 * @param beside other rules that such a candidate breaks too
 */
record RuleCase(
        String rule,
        String what,
        Candidate candidate,
        @Nullable String told,
        String mend,
        Set<String> beside) {

    static RuleCase keeps(String rule, String what, Candidate candidate) {
        return new RuleCase(rule, what, candidate, null, "", Set.of());
    }

    static RuleCase keeps(String rule, String what, CandidateDraft draft) {
        return keeps(rule, what, draft.build());
    }

    static RuleCase breaks(String rule, String what, CandidateDraft draft, String told) {
        return new RuleCase(rule, what, draft.build(), told, "", Set.of());
    }

    static RuleCase breaks(String rule, String what, CandidateDraft draft, String told, String mend) {
        return new RuleCase(rule, what, draft.build(), told, mend, Set.of());
    }

    /** The same case, whose candidate cannot but break these rules too. */
    RuleCase beside(String... rules) {
        return new RuleCase(rule, what, candidate, told, mend, Set.of(rules));
    }

    boolean broken() {
        return told != null;
    }

    @Override
    public String toString() {
        return "%s %s %s".formatted(rule, broken() ? "refuses" : "accepts", what);
    }
}
