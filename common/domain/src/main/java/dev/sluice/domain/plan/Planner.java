package dev.sluice.domain.plan;

import dev.sluice.domain.model.ModelSpec;
import dev.sluice.events.Backend;
import dev.sluice.events.Plan;
import dev.sluice.events.Problem;
import dev.sluice.events.TrainingRequest;
import java.util.List;

/** Sizes a valid request completely before anything starts; one for each backend. */
public sealed interface Planner permits CpuPlanner, GpuPlanner {

    /** What planning came to. */
    sealed interface Planning {
        record Planned(Plan plan) implements Planning {}

        /** Why it cannot run, never empty. */
        record Refused(List<Problem> problems) implements Planning {
            public Refused {
                problems = List.copyOf(problems);
            }
        }
    }

    /**
     * @param request complete and checked by the rules
     * @param warnings what the rules found odd; it goes into the plan
     */
    Planning plan(TrainingRequest request, ModelSpec model, List<Problem> warnings);

    static Planner of(Backend backend) {
        return switch (backend) {
            case CPU -> new CpuPlanner();
            case GPU -> new GpuPlanner();
        };
    }
}
