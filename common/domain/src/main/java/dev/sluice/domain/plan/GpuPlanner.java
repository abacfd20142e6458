package dev.sluice.domain.plan;

import dev.sluice.events.Problem;
import dev.sluice.events.TrainingRequest;
import java.util.List;

/** Layouts over GPUs are not searched yet: a made-up plan would cost a cluster's start to be found out. */
final class GpuPlanner implements Planner {
    @Override
    public Planning plan(TrainingRequest request, ModelFacts models, List<Problem> warnings) {
        return new Planning.Refused(List.of(Problem.error(
                "plan.gpu",
                "backend",
                "this version plans for the cpu backend only; it cannot lay out %s over GPUs"
                        .formatted(models.policy().modelType()),
                "set backend to cpu")));
    }
}
