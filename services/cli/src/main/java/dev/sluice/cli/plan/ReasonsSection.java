package dev.sluice.cli.plan;

import static dev.sluice.cli.plan.Figures.exact;
import static dev.sluice.cli.plan.Figures.gib;
import static dev.sluice.cli.plan.Figures.seconds;
import static dev.sluice.cli.plan.Figures.some;

import dev.sluice.cli.TextTable;
import dev.sluice.events.Plan;
import dev.sluice.events.Plan.Rejection;
import java.util.List;

/** Why it was planned so: choices, the layouts that were not taken and those that cannot run. */
record ReasonsSection(Plan plan) {
    private static final int REJECTION_LINES = 10;

    private static final int HEADINGS = 1;

    void write(Page page) {
        choices(page);
        alternatives(page);
        rejections(page, plan.rejections());
    }

    private void choices(Page page) {
        if (plan.choices().isEmpty()) {
            return;
        }
        page.heading("Choices");
        plan.choices().forEach(choice -> {
            page.text(choice.decision() + " = " + choice.value());
            page.item("   ", choice.because());
            if (choice.rejected() != null) {
                page.item("    not", choice.rejected());
            }
        });
    }

    private void alternatives(Page page) {
        if (plan.alternatives().isEmpty()) {
            return;
        }
        page.heading("Next best layouts");
        TextTable table = new TextTable("layout", "a step", "GiB", "not taken because");
        plan.alternatives()
                .forEach(other ->
                        table.row(other.layout(), seconds(other.stepSeconds()), gib(other.gpuGiB()), other.because()));
        page.table(table);
    }

    private static void rejections(Page page, List<Rejection> rejections) {
        if (rejections.isEmpty()) {
            return;
        }
        page.heading("Layouts that cannot run");
        int shown = Math.min(rejections.size(), REJECTION_LINES);
        while (shown > 1 && table(rejections, shown).lines(page.width()).size() > HEADINGS + REJECTION_LINES) {
            shown--;
        }
        page.table(table(rejections, shown));
        if (shown < rejections.size()) {
            int layouts = rejections.subList(shown, rejections.size()).stream()
                    .mapToInt(Rejection::layouts)
                    .sum();
            page.text("and %d more such families, %s".formatted(rejections.size() - shown, some(layouts, "layout")));
        }
    }

    private static TextTable table(List<Rejection> rejections, int shown) {
        TextTable table = new TextTable("family", "layouts", "rule", "because");
        rejections
                .subList(0, shown)
                .forEach(rejection -> table.row(
                        rejection.family(), exact(rejection.layouts()), rejection.rule(), rejection.message()));
        return table;
    }
}
