package dev.sluice.planner;

import dev.sluice.domain.plan.Verdict;
import dev.sluice.events.Plan;
import dev.sluice.events.Problem;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What a client is told about a request.
 *
 * @param feasible whether it can run
 * @param problems everything that is wrong when it cannot, and what is odd when it can
 * @param plan how it will run; only for a dry run
 */
record Answer(
        @Nullable String runId,
        boolean feasible,
        List<Problem> problems,
        @Nullable Plan plan) {
    static Answer infeasible(@Nullable String runId, List<Problem> problems) {
        return new Answer(runId, false, problems, null);
    }

    static Answer feasible(String runId, Verdict.Feasible verdict, boolean withPlan) {
        return new Answer(runId, true, verdict.plan().warnings(), withPlan ? verdict.plan() : null);
    }
}
