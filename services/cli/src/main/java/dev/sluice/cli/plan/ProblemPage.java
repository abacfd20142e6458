package dev.sluice.cli.plan;

import static dev.sluice.cli.plan.Figures.some;

import dev.sluice.events.Problem;
import dev.sluice.events.Problem.Severity;
import java.util.ArrayList;
import java.util.List;
import java.util.function.UnaryOperator;

/**
 * Why a request cannot run: every problem with its place, rule, numbers and mend, errors first, and how many there are.
 *
 * @param place where a path stands, such as {@code request.yaml:7}; empty where nowhere
 * @param columns of the terminal; no line is longer, unless the terminal has less than {@value Page#MIN_COLUMNS}
 */
public record ProblemPage(List<Problem> problems, UnaryOperator<String> place, int columns) {
    public ProblemPage {
        problems = List.copyOf(problems);
    }

    /** Problems of a request that lies in no file. */
    public ProblemPage(List<Problem> problems, int columns) {
        this(problems, path -> "", columns);
    }

    /** Lines without a line break after the last. */
    public String text() {
        List<Problem> errors = of(Severity.ERROR);
        List<Problem> warnings = of(Severity.WARNING);
        Page page = new Page(columns);
        new Findings("Errors", errors, place).write(page);
        new Findings("Warnings", warnings, place).write(page);
        page.gap();
        page.title(count(errors.size(), warnings.size()));
        return page.text().strip();
    }

    private List<Problem> of(Severity severity) {
        return problems.stream()
                .filter(problem -> problem.severity() == severity)
                .toList();
    }

    private static String count(int errors, int warnings) {
        List<String> counts = new ArrayList<>();
        if (errors > 0) {
            counts.add(some(errors, "error"));
        }
        if (warnings > 0) {
            counts.add(some(warnings, "warning"));
        }
        String found = counts.isEmpty() ? "no problem was found" : String.join(" and ", counts);
        return errors == 0 ? found : "the request is rejected: " + found + "; nothing was started";
    }
}
