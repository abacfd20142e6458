package dev.sluice.trainer.metrics;

import dev.sluice.domain.training.BatchRows;
import dev.sluice.domain.training.TokenAdvantages;
import dev.sluice.events.RunMetric;
import dev.sluice.workerapi.TrainMetrics;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Figures of models beside the policy, under slime's names; those of a model that is not asked are absent. */
public final class ModelFigures {
    private ModelFigures() {}

    /**
     * Of the passes before a step.
     *
     * @param values the critic's, f32[T]; absent without one
     */
    public static Map<String, Double> of(BatchRows rows, TokenAdvantages advantages, float @Nullable [] values) {
        Map<String, Double> figures = new LinkedHashMap<>();
        put(figures, RunMetric.REFERENCE_KL, advantages.divergence());
        put(figures, RunMetric.TEACHER_KL, advantages.teacherDivergence());
        put(figures, RunMetric.VALUES, values == null ? null : mean(rows, values));
        put(figures, RunMetric.RETURNS, advantages.returns() == null ? null : mean(rows, advantages.returns()));
        return figures;
    }

    /** Of the step itself. */
    static Map<String, Double> of(TrainMetrics trained) {
        Map<String, Double> figures = new LinkedHashMap<>();
        put(figures, RunMetric.KL_LOSS, trained.klLoss() == 0 ? null : trained.klLoss());
        put(figures, RunMetric.OPSM_CLIPPED, trained.opsmClipFraction());
        TrainMetrics.Critic critic = trained.critic();
        if (critic != null) {
            put(figures, RunMetric.VALUE_LOSS, critic.loss());
            put(figures, RunMetric.VALUE_CLIPPED, critic.clipFraction());
            put(figures, RunMetric.CRITIC_GRADIENT_NORM, critic.gradNorm());
        }
        return figures;
    }

    private static void put(Map<String, Double> figures, RunMetric metric, @Nullable Double value) {
        if (value != null) {
            figures.put(metric.wireName(), value);
        }
    }

    /** Over the tokens with gradient. */
    private static double mean(BatchRows rows, float[] values) {
        double sum = 0;
        for (int t = 0; t < values.length; t++) {
            sum += rows.lossMask()[t] * values[t];
        }
        return sum / Math.max(1, rows.trainedTokens());
    }
}
