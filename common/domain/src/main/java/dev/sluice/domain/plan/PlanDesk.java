package dev.sluice.domain.plan;

import dev.sluice.domain.model.ModelSpec;
import dev.sluice.domain.model.Parameters;
import dev.sluice.domain.plan.Planner.Planning;
import dev.sluice.domain.request.Facts;
import dev.sluice.domain.request.RequestReader.Reading;
import dev.sluice.domain.request.RequestRules;
import dev.sluice.events.Backend;
import dev.sluice.events.Plan;
import dev.sluice.events.Problem;
import dev.sluice.events.TrainingRequest;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** From a request that was read to a plan, or to everything that is wrong with it. */
public final class PlanDesk {
    private PlanDesk() {}

    /** @param look finds out what the rules need to know of the world */
    public static Verdict check(Reading reading, Function<TrainingRequest, Facts> look) {
        return switch (reading) {
            case Reading.Refused refused -> refused(refused, look);
            case Reading.Complete complete -> plan(complete, look.apply(complete.request()));
        };
    }

    private static Verdict refused(Reading.Refused refused, Function<TrainingRequest, Facts> look) {
        TrainingRequest rest = refused.rest();
        if (rest == null) {
            return new Verdict.Infeasible(refused.problems());
        }
        Facts facts = look.apply(rest);
        List<Problem> broken = new ArrayList<>(RequestRules.broken(rest, facts));
        broken.addAll(ofBackend(rest));
        return new Verdict.Infeasible(refused.with(broken), figures(facts));
    }

    private static Verdict plan(Reading.Complete complete, Facts facts) {
        TrainingRequest request = complete.request();
        List<Problem> problems = RequestRules.broken(request, facts);
        ModelSpec model = facts.model().spec();
        if (model == null) {
            return new Verdict.Infeasible(Planning.Refused.together(problems, ofBackend(request)));
        }
        if (request.backend() == Backend.CPU && RequestRules.reject(problems)) {
            return new Verdict.Infeasible(problems, figures(facts));
        }
        // Layouts over GPUs are looked at even where a rule is broken: all problems are told in one answer.
        Planning planning = Planner.of(request.backend()).plan(request, ModelFacts.of(request, facts, model), problems);
        return switch (planning) {
            case Planning.Refused refused ->
                new Verdict.Infeasible(Planning.Refused.together(problems, refused.problems()), figures(facts));
            case Planning.Planned planned ->
                RequestRules.reject(problems)
                        ? new Verdict.Infeasible(problems, figures(facts))
                        : new Verdict.Feasible(request, complete.sha256(), planned.plan());
        };
    }

    private static List<Problem> ofBackend(TrainingRequest request) {
        return request.backend() == Backend.GPU ? GpuPlanner.problems(request) : List.of();
    }

    private static Plan.@Nullable ModelFigures figures(Facts facts) {
        ModelSpec model = facts.model().spec();
        return model == null ? null : new Parameters(Objects.requireNonNull(model)).figures();
    }
}
