package dev.sluice.events;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;

class RunMetricTest {
    /** Keys that slime logs, as far as this catalogue takes them over: its rollout.py, loss.py, model.py and timers. */
    private static final Set<String> OF_SLIME = Set.of(
            "rollout/raw_reward",
            "rollout/response_lengths",
            "rollout/truncated_ratio",
            "rollout/spec_accept_length",
            "rollout/dynamic_filter/drop_{reason}",
            "train/loss",
            "train/pg_loss",
            "train/mtp_loss",
            "train/entropy_loss",
            "train/ppo_kl",
            "train/pg_clipfrac",
            "train/ois",
            "train/tis",
            "train/tis_clipfrac",
            "train/tis_abs",
            "train/kl_loss",
            "rollout/kl",
            "rollout/opd_reverse_kl",
            "rollout/values",
            "rollout/returns",
            "train/critic-value_loss",
            "train/critic-value_clipfrac",
            "train/critic-grad_norm",
            "train/opsm_clipfrac",
            "train/grad_norm",
            "train/train_rollout_logprob_abs_diff",
            "perf/step_time",
            "perf/train_time",
            "eval/{set}");

    @Test
    void whatIsSaidToBeSlimesIsLoggedByIt() {
        assertThat(Arrays.stream(RunMetric.values())
                        .filter(metric -> metric.source() == RunMetric.Source.SLIME)
                        .map(RunMetric::wireName))
                .isSubsetOf(OF_SLIME);
    }

    @Test
    void aNameStandsForOneFigure() {
        assertThat(Arrays.stream(RunMetric.values()).map(RunMetric::wireName)).doesNotHaveDuplicates();
        assertThat(RunMetric.find("train/loss")).contains(RunMetric.LOSS);
        assertThat(RunMetric.find("eval/aime")).contains(RunMetric.EVALUATION_REWARD);
        assertThat(RunMetric.find("rollout/dynamic_filter/drop_zero_std_1.0")).contains(RunMetric.FILTERED_GROUPS);
        assertThat(RunMetric.find("eval/")).isEmpty();
        assertThat(RunMetric.find("train/loss_2")).isEmpty();
    }

    @Test
    void aFigureThatNobodyDescribedIsNotPublished() {
        assertThatThrownBy(() -> RunMetric.requireKnown(new MetricPoint("run", "train/x", 1, 0, 1, Instant.EPOCH)))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("MetricPoint of run")
                .hasMessageContaining("train/x")
                .hasMessageContaining("add them to RunMetric");
        assertThatThrownBy(() -> RunMetric.requireKnown(step(Map.of("train/loss", 1.0, "a", 1.0, "b", 1.0))))
                .hasMessageContaining("a, b");
        assertThatCode(() -> RunMetric.requireKnown(step(Map.of("train/loss", 1.0))))
                .doesNotThrowAnyException();
    }

    private static TrainingEvent.StepCompleted step(Map<String, Double> metrics) {
        return new TrainingEvent.StepCompleted("run", 1, 1, 1, 1, 1, 0, List.of(1), metrics);
    }
}
