package dev.sluice.cli.plan;

import dev.sluice.events.Problem;
import java.util.List;

/** What is wrong or odd, each with its place, its rule, the numbers and what to change. */
record Findings(String heading, List<Problem> problems) {
    void write(Page page) {
        if (problems.isEmpty()) {
            return;
        }
        page.heading(heading);
        for (Problem problem : problems) {
            page.text(problem.path().isEmpty() ? problem.rule() : problem.path() + " (" + problem.rule() + ")");
            page.item("   ", problem.message());
            if (problem.mend() != null) {
                page.item("  →", problem.mend());
            }
        }
    }
}
