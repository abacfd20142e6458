package dev.sluice.domain.plan;

import dev.sluice.events.Backend;
import dev.sluice.events.Plan;
import dev.sluice.events.Problem;
import dev.sluice.events.Problem.Severity;
import dev.sluice.events.TrainingRequest;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;

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

            /** The rules' errors, and what planning found in other places; warnings last. */
            static List<Problem> together(List<Problem> broken, List<Problem> problems) {
                List<Problem> rules = broken.stream()
                        .filter(problem -> problem.severity() == Severity.ERROR)
                        .toList();
                Stream<Problem> elsewhere = problems.stream()
                        .filter(problem ->
                                rules.stream().noneMatch(known -> known.path().equals(problem.path())));
                Stream<Problem> warnings = broken.stream().filter(problem -> problem.severity() == Severity.WARNING);
                return Stream.of(rules.stream(), elsewhere, warnings)
                        .flatMap(all -> all)
                        .sorted(Comparator.comparing(Problem::severity))
                        .toList();
            }
        }
    }

    /**
     * @param request complete
     * @param warnings what the rules found odd; it goes into the plan
     */
    Planning plan(TrainingRequest request, ModelFacts models, List<Problem> warnings);

    static Planner of(Backend backend) {
        return switch (backend) {
            case CPU -> new CpuPlanner();
            case GPU -> new GpuPlanner();
        };
    }
}
