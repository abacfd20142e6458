package dev.sluice.cli.plan;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.sluice.cli.ExitCode;
import dev.sluice.cli.Terminal;
import dev.sluice.domain.plan.PlanDocument;
import dev.sluice.domain.plan.Verdict;
import java.nio.file.Path;

/**
 * What planning came to, to be shown.
 *
 * @param file where the request came from
 * @param lines where its values stand in it
 */
public record Planned(Verdict verdict, Path file, LinesOfDocument lines) {

    /** Shows it, and gives the command's exit code. */
    public int show(Terminal terminal, boolean arguments) {
        if (terminal.json()) {
            terminal.result(document().toPrettyString());
        } else {
            switch (verdict) {
                case Verdict.Feasible feasible -> {
                    PlanPage page = new PlanPage(feasible.request(), feasible.plan(), terminal.columns());
                    terminal.result(page.text());
                    if (arguments) {
                        terminal.result(page.commands());
                    }
                }
                case Verdict.Infeasible infeasible ->
                    terminal.result(new ProblemPage(infeasible.problems(), this::place, terminal.columns()).text());
            }
        }
        return verdict instanceof Verdict.Feasible ? ExitCode.OK : ExitCode.USAGE;
    }

    private String place(String path) {
        int line = lines.line(path);
        return line == 0 ? "" : file + ":" + line;
    }

    /** As programs read it; a problem has the line of the file where its value stands, 0 where none does. */
    private ObjectNode document() {
        ObjectNode document = PlanDocument.of(verdict);
        document.get("problems").forEach(problem -> {
            String path = problem.path("path").asText();
            ((ObjectNode) problem).put("file", file.toString()).put("line", lines.line(path));
        });
        return document;
    }
}
