package dev.sluice.domain.request;

import dev.sluice.domain.request.Facts.Purpose;
import dev.sluice.events.Problem;
import dev.sluice.events.TrainingRequest;
import java.util.ArrayList;
import java.util.List;

/**
 * One rule over a whole request.
 *
 * @param id names the rule in problems and documents
 * @param about what must hold
 */
record RequestRule(String id, String about, Check check) {

    /** Looks at a request and tells what it found. */
    interface Check {
        void look(TrainingRequest request, Facts facts, Findings findings);
    }

    List<Problem> broken(TrainingRequest request, Facts facts) {
        Findings findings = new Findings(id, facts.purpose(), new ArrayList<>());
        check.look(request, facts, findings);
        return findings.problems();
    }

    /** Collects what one rule finds. */
    record Findings(String rule, Purpose purpose, List<Problem> problems) {
        void error(String path, String message, String mend) {
            problems.add(Problem.error(rule, path, message, mend));
        }

        /** What hinders a run here and now; a plan only mentions it. */
        void hindrance(String path, String message, String mend) {
            switch (purpose) {
                case RUN -> error(path, message, mend);
                case PLAN -> warning(path, message, mend);
            }
        }

        void warning(String path, String message, String mend) {
            problems.add(Problem.warning(rule, path, message, mend));
        }
    }
}
