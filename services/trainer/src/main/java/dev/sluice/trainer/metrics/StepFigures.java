package dev.sluice.trainer.metrics;

import dev.sluice.domain.training.BatchRows;
import dev.sluice.events.Event;
import dev.sluice.events.GroupEvent.FinishReason;
import dev.sluice.events.GroupEvent.GroupSampled;
import dev.sluice.events.GroupEvent.Sample;
import dev.sluice.events.MetricPoint;
import dev.sluice.events.TrainingEvent.BatchFormed;
import dev.sluice.events.TrainingEvent.GroupUse;
import dev.sluice.workerapi.TrainMetrics;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.ToDoubleFunction;

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
        figures.put("rollout/raw_reward", mean(samples, sample -> Objects.requireNonNullElse(sample.reward(), 0.0)));
        figures.put(
                "rollout/response_lengths",
                mean(samples, sample -> sample.tokens().length()));
        figures.put(
                "rollout/truncated_ratio",
                mean(samples, sample -> sample.finishReason() == FinishReason.LENGTH ? 1 : 0));
        figures.put(
                "rollout/policy_lag",
                formed.groups().stream().mapToInt(GroupUse::policyLag).average().orElse(0));
        int verifies = samples.stream().mapToInt(Sample::verifies).sum();
        if (verifies > 0) {
            // Tokens a verification yields: the accepted drafts and the one that it samples itself.
            int accepted = samples.stream().mapToInt(Sample::acceptedDrafts).sum();
            figures.put("rollout/spec_accept_length", 1 + (double) accepted / verifies);
        }
        figures.put("train/loss", trained.loss());
        figures.put("train/pg_loss", trained.pgLoss());
        figures.put("train/mtp_loss", trained.mtpLoss());
        figures.put("train/entropy_loss", trained.entropy());
        figures.put("train/ppo_kl", trained.kl());
        figures.put("train/pg_clipfrac", trained.clipFraction());
        figures.put("train/grad_norm", trained.gradNorm());
        figures.put("train/train_rollout_logprob_abs_diff", trained.trainRolloutLogprobMeanDifference());
        figures.put("perf/step_time", stepSeconds);
        figures.put("perf/train_time", trained.seconds());
        figures.put("perf/tokens_per_second", stepSeconds > 0 ? rows.responseTokens() / stepSeconds : 0);
        figures.values().removeIf(value -> !Double.isFinite(value));
        return figures;
    }

    /** Groups by policy lag, from 0. */
    public static List<Integer> policyLags(BatchFormed formed) {
        int greatest =
                formed.groups().stream().mapToInt(GroupUse::policyLag).max().orElse(0);
        List<Integer> counts = new ArrayList<>(Collections.nCopies(greatest + 1, 0));
        formed.groups().forEach(use -> counts.set(use.policyLag(), counts.get(use.policyLag()) + 1));
        return counts;
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
