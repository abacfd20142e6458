package dev.sluice.cli.plan;

import static dev.sluice.cli.plan.Figures.exact;
import static dev.sluice.cli.plan.Figures.rounded;
import static dev.sluice.cli.plan.Figures.seconds;
import static dev.sluice.cli.plan.Figures.some;

import dev.sluice.events.Plan;
import dev.sluice.events.Plan.ModelFigures;
import dev.sluice.events.Plan.Prediction;
import dev.sluice.events.TrainingRequest;
import org.jspecify.annotations.Nullable;

/** Whether it can run, with what model, on what, how fast. */
record Headline(TrainingRequest request, Plan plan, Machines machines) {
    void write(Page page) {
        int warnings = plan.warnings().size();
        page.title("%s can run%s; nothing was started"
                .formatted(request.name(), warnings == 0 ? "" : ", with " + some(warnings, "warning")));
        page.gap();
        page.entry("model", model(plan.model()));
        page.entry("machines", machines.toString());
        page.entry("step", step(plan.prediction()));
    }

    private static String model(ModelFigures model) {
        StringBuilder text =
                new StringBuilder("%s, %s parameters".formatted(model.modelType(), rounded(model.totalParameters())));
        if (model.activeParameters() < model.totalParameters()) {
            text.append(" (%s active a token)".formatted(rounded(model.activeParameters())));
        }
        if (model.mtpParameters() > 0) {
            text.append(", MTP layer %s".formatted(rounded(model.mtpParameters())));
        }
        return text.append(", up to %s tokens".formatted(exact(model.maxContextTokens())))
                .toString();
    }

    private static String step(@Nullable Prediction prediction) {
        if (prediction == null) {
            return "its time is not predicted";
        }
        return "%s predicted (%s to %s), %s tokens generated and trained on, %s\u00a0tokens/s"
                .formatted(
                        seconds(prediction.stepSeconds()),
                        seconds(prediction.low()),
                        seconds(prediction.high()),
                        rounded(prediction.tokensPerStep()),
                        rounded(prediction.tokensPerStep() / prediction.stepSeconds()));
    }
}
