package dev.sluice.trainer.metrics;

import dev.sluice.domain.training.BatchRows;
import dev.sluice.domain.training.RewardSpread;
import dev.sluice.events.Event;
import dev.sluice.events.GroupEvent.FinishReason;
import dev.sluice.events.GroupEvent.GroupSampled;
import dev.sluice.events.GroupEvent.Sample;
import dev.sluice.events.MetricPoint;
import dev.sluice.events.RunMetric;
import dev.sluice.events.TrainingEvent.BatchFormed;
import dev.sluice.events.TrainingEvent.GroupUse;
import dev.sluice.workerapi.TrainMetrics;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.ToDoubleFunction;
import java.util.stream.Collectors;

/** Figures of a step under slime's names, so that its users find them in the same place. */
public final class StepFigures {
    private StepFigures() {}

    /**
     * @param results what the step trained on
     * @param rows its batch
     * @param trained what the worker measured
     * @param stepSeconds from the end of the step before, generation included
     */
    public static Map<String, Double> of(
            BatchFormed formed, List<GroupSampled> results, BatchRows rows, TrainMetrics trained, double stepSeconds) {
        List<Sample> samples =
                results.stream().flatMap(group -> group.samples().stream()).toList();
        Map<String, Double> figures = new LinkedHashMap<>();
        put(figures, RunMetric.RAW_REWARD, mean(samples, sample -> Objects.requireNonNullElse(sample.reward(), 0.0)));
        put(
                figures,
                RunMetric.RESPONSE_LENGTH,
                mean(samples, sample -> sample.tokens().length()));
        put(
                figures,
                RunMetric.TRUNCATED_RATIO,
                mean(samples, sample -> sample.finishReason() == FinishReason.LENGTH ? 1 : 0));
        put(
                figures,
                RunMetric.POLICY_LAG,
                formed.groups().stream().mapToInt(GroupUse::policyLag).average().orElse(0));
        put(
                figures,
                RunMetric.EQUAL_REWARD_GROUPS,
                results.stream()
                        .mapToDouble(group -> RewardSpread.isEqual(group) ? 1 : 0)
                        .average()
                        .orElse(0));
        int verifies = samples.stream().mapToInt(Sample::verifies).sum();
        if (verifies > 0) {
            // Tokens a verification yields: the accepted drafts and the one that it samples itself.
            int accepted = samples.stream().mapToInt(Sample::acceptedDrafts).sum();
            put(figures, RunMetric.ACCEPT_LENGTH, 1 + (double) accepted / verifies);
        }
        put(figures, RunMetric.LOSS, trained.loss());
        put(figures, RunMetric.POLICY_LOSS, trained.pgLoss());
        put(figures, RunMetric.MTP_LOSS, trained.mtpLoss());
        put(figures, RunMetric.ENTROPY, trained.entropy());
        put(figures, RunMetric.KL, trained.kl());
        put(figures, RunMetric.CLIP_FRACTION, trained.clipFraction());
        put(figures, RunMetric.IMPORTANCE_RATIO, trained.importanceRatio());
        TrainMetrics.Mismatch mismatch = trained.mismatch();
        if (mismatch != null) {
            put(figures, RunMetric.MISMATCH_RATIO, mismatch.ratio());
            put(figures, RunMetric.MISMATCH_CLIPPED, mismatch.clipFraction());
            put(figures, RunMetric.MISMATCH_DISTANCE, mismatch.distance());
        }
        figures.putAll(ModelFigures.of(trained));
        put(figures, RunMetric.GRADIENT_NORM, trained.gradNorm());
        put(figures, RunMetric.LOGPROB_DIFFERENCE, trained.trainRolloutLogprobMeanDifference());
        put(figures, RunMetric.LOGPROB_DIFFERENCE_MAX, trained.trainRolloutLogprobMaxDifference());
        put(figures, RunMetric.STEP_SECONDS, stepSeconds);
        put(figures, RunMetric.TRAIN_SECONDS, trained.seconds());
        put(figures, RunMetric.TOKENS_PER_SECOND, stepSeconds > 0 ? rows.responseTokens() / stepSeconds : 0);
        figures.values().removeIf(value -> !Double.isFinite(value));
        return figures;
    }

    /** Groups that a dynamic filter left out of the step, under slime's names. */
    public static Map<String, Double> filtered(Map<String, Integer> groupsByReason) {
        return groupsByReason.entrySet().stream()
                .collect(Collectors.toMap(
                        reason -> RunMetric.FILTERED_GROUPS.wireName(reason.getKey()),
                        reason -> reason.getValue().doubleValue()));
    }

    private static void put(Map<String, Double> figures, RunMetric metric, double value) {
        figures.put(metric.wireName(), value);
    }

    /** The figures as points for dashboards. */
    public static List<Event> points(String runId, int step, Map<String, Double> figures, Instant at) {
        return figures.entrySet().stream()
                .map(figure -> (Event) new MetricPoint(runId, figure.getKey(), step, 0, figure.getValue(), at))
                .toList();
    }

    private static double mean(List<Sample> samples, ToDoubleFunction<Sample> figure) {
        return samples.stream().mapToDouble(figure).average().orElse(0);
    }
}
