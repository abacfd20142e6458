package dev.sluice.cli.plan;

import dev.sluice.events.Plan;
import dev.sluice.events.Plan.Fallback;
import dev.sluice.events.TrainingRequest;
import java.util.List;

/**
 * How a request will run, on a page of text: whether, how fast, which rank on which GPU, what fills the memory, where the
 * time goes, and why so.
 *
 * @param request complete, as the planner judged it
 * @param plan the planner's answer
 * @param columns of the terminal; no line is longer, unless the terminal has less than {@value Page#MIN_COLUMNS} or a word
 *     of a command does not fit
 */
public record PlanPage(TrainingRequest request, Plan plan, int columns) {

    /** Lines without a line break after the last. */
    public String text() {
        Page page = new Page(columns);
        Machines machines = new Machines(request, plan);
        new Headline(request, plan, machines).write(page);
        new LayoutSection(plan, machines).write(page);
        new MemorySection(plan, machines).write(page);
        if (plan.prediction() != null) {
            new TimeSection(plan.prediction()).write(page);
        }
        new ReasonsSection(plan).write(page);
        fallbacks(page, plan.rollout().fallbacks());
        new Findings("Warnings", plan.warnings(), path -> "").write(page);
        return page.text();
    }

    /** The command lines of worker and engine, environment first, as a shell takes them. */
    public String commands() {
        int width = Math.clamp(columns, Page.MIN_COLUMNS, Page.MAX_COLUMNS);
        return String.join("\n", new CommandLines(request, plan, new Machines(request, plan)).lines(width));
    }

    private static void fallbacks(Page page, List<Fallback> fallbacks) {
        if (fallbacks.isEmpty()) {
            return;
        }
        page.heading("If an engine runs out of memory at its start");
        for (int i = 0; i < fallbacks.size(); i++) {
            page.item(i + 1 + ".", fallbacks.get(i).because());
        }
    }
}
