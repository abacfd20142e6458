package dev.sluice.cli.plan;

import dev.sluice.events.Problem;
import java.util.List;
import java.util.function.UnaryOperator;

/** What is wrong or odd, each with its place, its rule, the numbers and what to change. */
record Findings(String heading, List<Problem> problems, UnaryOperator<String> place) {
    void write(Page page) {
        if (problems.isEmpty()) {
            return;
        }
        page.heading(heading);
        for (Problem problem : problems) {
            String where = problem.path().isEmpty() ? problem.rule() : problem.path() + " (" + problem.rule() + ")";
            String line = place.apply(problem.path());
            page.text(line.isEmpty() ? where : line + ": " + where);
            page.item("   ", problem.message());
            if (problem.mend() != null) {
                page.item("  →", problem.mend());
            }
        }
    }
}
