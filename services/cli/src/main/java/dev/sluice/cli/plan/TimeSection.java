package dev.sluice.cli.plan;

import static dev.sluice.cli.plan.Figures.seconds;

import dev.sluice.events.Plan.Part;
import dev.sluice.events.Plan.Prediction;
import java.util.List;
import java.util.OptionalDouble;

/** Where the time of a step goes. */
record TimeSection(Prediction prediction) {
    private static final int SECONDS = 9;

    void write(Page page) {
        if (prediction.parts().isEmpty()) {
            return;
        }
        double sum = prediction.parts().stream().mapToDouble(Part::amount).sum();
        page.heading("Time of a step");
        // Less is rounding of the parts.
        if (sum > 1.01 * prediction.stepSeconds()) {
            sideBySide(page, sum);
        } else {
            inTurn(page);
        }
    }

    private void inTurn(Page page) {
        List<Part> parts = Bar.complete(prediction.parts(), prediction.stepSeconds());
        double scale = parts.stream().mapToDouble(Part::amount).sum();
        Bar bar = new Bar(parts, scale, OptionalDouble.empty());
        page.entry(seconds(prediction.stepSeconds()), bar.line(page.room()));
        page.entry("", bar.legend(Figures::seconds));
    }

    /** Parts that run at the same time would make too long a step, drawn one after the other. */
    private void sideBySide(Page page, double sum) {
        for (Part part : prediction.parts()) {
            double scale = Math.max(prediction.stepSeconds(), part.amount());
            Bar bar = new Bar(List.of(part), scale, OptionalDouble.empty());
            int room = Math.max(SECONDS, page.room(part.kind()) - SECONDS);
            page.entry(part.kind(), bar.line(room) + " " + seconds(part.amount()));
        }
        page.entry(
                "overlap",
                "rollout and training run at the same time: the parts take %s, the step %s"
                        .formatted(seconds(sum), seconds(prediction.stepSeconds())));
    }
}
