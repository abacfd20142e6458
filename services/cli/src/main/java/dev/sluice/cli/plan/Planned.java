package dev.sluice.cli.plan;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.sluice.cli.ExitCode;
import dev.sluice.cli.Terminal;
import dev.sluice.domain.plan.PlanDocument;
import dev.sluice.domain.plan.Verdict;
import java.util.List;

/**
 * What planning came to, to be shown.
 *
 * @param places where the request's values stand
 */
public record Planned(Verdict verdict, Places places) {

    /** Shows it, and gives the command's exit code. */
    public int show(Terminal terminal, boolean arguments) {
        if (terminal.json()) {
            terminal.result(document().toPrettyString());
        } else {
            showPage(terminal, arguments);
        }
        return exitCode();
    }

    public int exitCode() {
        return verdict instanceof Verdict.Feasible ? ExitCode.OK : ExitCode.USAGE;
    }

    private void showPage(Terminal terminal, boolean arguments) {
        switch (verdict) {
            case Verdict.Feasible feasible -> {
                PlanPage page = new PlanPage(feasible.request(), feasible.plan(), terminal.columns());
                terminal.result(page.text());
                if (arguments) {
                    terminal.result(page.commands());
                }
            }
            case Verdict.Infeasible infeasible ->
                terminal.result(new ProblemPage(infeasible.problems(), places::text, terminal.columns()).text());
        }
    }

    /** Lines about what is wrong, none where nothing is. */
    public List<String> problems() {
        return switch (verdict) {
            case Verdict.Feasible feasible -> List.of();
            case Verdict.Infeasible infeasible ->
                new ProblemPage(infeasible.problems(), places::text, Page.MAX_COLUMNS)
                        .text()
                        .lines()
                        .toList();
        };
    }

    /** As programs read it; a problem has the file and line where its value stands. */
    public ObjectNode document() {
        ObjectNode document = PlanDocument.of(verdict);
        document.get("problems")
                .forEach(problem -> places.of(problem.path("path").asText())
                        .ifPresent(place ->
                                ((ObjectNode) problem).put("file", place.file()).put("line", place.line())));
        return document;
    }
}
