package dev.sluice.domain.plan;

import dev.sluice.events.Plan;
import dev.sluice.events.Problem;
import dev.sluice.events.TrainingRequest;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** What a request document is worth. */
public sealed interface Verdict {
    /** It can run like this. */
    record Feasible(TrainingRequest request, String requestSha256, Plan plan) implements Verdict {}

    /**
     * It cannot run.
     *
     * @param problems every problem, at most {@value #MAX_PROBLEMS}
     * @param model figures of the model, absent where it could not be read
     */
    record Infeasible(List<Problem> problems, Plan.@Nullable ModelFigures model) implements Verdict {
        static final int MAX_PROBLEMS = 100;

        public Infeasible {
            problems = problems.stream().limit(MAX_PROBLEMS).toList();
        }

        public Infeasible(List<Problem> problems) {
            this(problems, null);
        }
    }
}
