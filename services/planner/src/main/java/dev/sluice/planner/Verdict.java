package dev.sluice.planner;

import dev.sluice.events.Plan;
import dev.sluice.events.Problem;
import dev.sluice.events.TrainingRequest;
import java.util.List;

/** What a request document is worth. */
sealed interface Verdict {
    /** It can run like this. */
    record Feasible(TrainingRequest request, String requestSha256, Plan plan) implements Verdict {}

    /** It cannot run; every problem, at most {@value #MAX_PROBLEMS}. */
    record Infeasible(List<Problem> problems) implements Verdict {
        static final int MAX_PROBLEMS = 100;

        public Infeasible {
            problems = problems.stream().limit(MAX_PROBLEMS).toList();
        }
    }
}
