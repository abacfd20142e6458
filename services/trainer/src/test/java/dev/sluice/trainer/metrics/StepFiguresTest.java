package dev.sluice.trainer.metrics;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.domain.training.AdvantageRule;
import dev.sluice.domain.training.BatchRows;
import dev.sluice.domain.training.BatchRules;
import dev.sluice.events.Float32Array;
import dev.sluice.events.GroupEvent.FinishReason;
import dev.sluice.events.GroupEvent.GroupSampled;
import dev.sluice.events.GroupEvent.Sample;
import dev.sluice.events.GroupEvent.VersionSpan;
import dev.sluice.events.Int32Array;
import dev.sluice.events.TrainingEvent.BatchFormed;
import dev.sluice.events.TrainingEvent.GroupUse;
import dev.sluice.events.UInt8Array;
import dev.sluice.workerapi.TrainMetrics;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Expected figures are worked out by hand. */
class StepFiguresTest {
    private static final TrainMetrics TRAINED = new TrainMetrics(
            0.5,
            0.4,
            0.1,
            1.2,
            0.01,
            0,
            0.02,
            1.01,
            new TrainMetrics.Mismatch(0.9, 0.2, 0.3),
            3,
            4,
            1,
            0.2,
            0.1,
            0.25,
            100,
            null,
            null);

    @Test
    void averageOverSamplesUnderSlimesNames() {
        List<GroupSampled> results =
                List.of(group(0, sample(0, 1.0, FinishReason.STOP, 1, 2, 3), sample(1, 0.0, FinishReason.LENGTH, 4)));

        Map<String, Double> figures = StepFigures.of(
                formed(0, 2),
                results,
                BatchRows.of(results, new BatchRules(1, 1, 100, AdvantageRule.grpo(true))),
                TRAINED,
                2.0);

        assertThat(figures)
                .containsEntry("rollout/raw_reward", 0.5)
                .containsEntry("rollout/response_lengths", 2.0)
                .containsEntry("rollout/truncated_ratio", 0.5)
                .containsEntry("rollout/policy_lag", 1.0)
                // 2 samples with 4 accepted drafts in 2 verifications each: 1 + 8 / 4
                .containsEntry("rollout/spec_accept_length", 3.0)
                .containsEntry("train/ppo_kl", 0.01)
                .containsEntry("train/ois", 1.01)
                .containsEntry("train/tis", 0.9)
                .containsEntry("train/tis_clipfrac", 0.2)
                .containsEntry("train/tis_abs", 0.3)
                .containsEntry("perf/train_time", 0.25)
                .containsEntry("perf/tokens_per_second", 2.0);
    }

    @Test
    void leaveOutWhatIsNoNumber() {
        List<GroupSampled> results = List.of(group(0, sample(0, 1.0, FinishReason.STOP, 1)));
        TrainMetrics broken = new TrainMetrics(Double.NaN, 0, 0, 0, 0, 0, 0, 1, null, 0, 1, 1, 0, 0, 0, 0, null, null);

        Map<String, Double> figures = StepFigures.of(
                formed(0),
                results,
                BatchRows.of(results, new BatchRules(1, 1, 100, AdvantageRule.grpo(true))),
                broken,
                1.0);

        assertThat(figures).doesNotContainKey("train/loss");
    }

    @Test
    void countGroupsThatAFilterLeftOutUnderSlimesNames() {
        assertThat(StepFigures.filtered(Map.of("zero_std_1.0", 3, "zero_std_0.0", 1)))
                .isEqualTo(Map.of(
                        "rollout/dynamic_filter/drop_zero_std_1.0", 3.0,
                        "rollout/dynamic_filter/drop_zero_std_0.0", 1.0));
    }

    @Test
    void countGroupsByPolicyLag() {
        assertThat(PolicyLags.histogram(formed(0, 2, 2, 1))).containsExactly(1, 1, 2);
    }

    /** A gauge that is not written keeps its value: lags that no group has are written too. */
    @Test
    void showEveryLagThatTheRunAllowsAndOlderGroupsTogether() {
        assertThat(PolicyLags.figures(formed(0, 2, 4, 3), 2))
                .isEqualTo(Map.of(
                        "rollout/policy_lag/count_0", 1.0,
                        "rollout/policy_lag/count_1", 0.0,
                        "rollout/policy_lag/count_2", 1.0,
                        "rollout/policy_lag/count_more", 2.0));
        assertThat(PolicyLags.figures(formed(0, 0), 1000)).hasSize(17).containsEntry("rollout/policy_lag/count_0", 2.0);
    }

    private static BatchFormed formed(int... lags) {
        List<GroupUse> uses = java.util.stream.IntStream.range(0, lags.length)
                .mapToObj(i -> new GroupUse("run/" + i, i, 0, "r" + i, 0, i, lags[i]))
                .toList();
        return new BatchFormed("run", 1, 1, uses, List.of(), lags.length, 3, "sha");
    }

    private static GroupSampled group(long cursor, Sample... samples) {
        return new GroupSampled(
                "run", 1, "run/" + cursor, cursor, 0, 0, "a", Int32Array.of(1, 2), List.of(samples), 0, 0.1, null);
    }

    private static Sample sample(int index, double reward, FinishReason reason, int... tokens) {
        return new Sample(
                index,
                Int32Array.of(tokens),
                Float32Array.of(new float[tokens.length]),
                UInt8Array.of(new byte[tokens.length]),
                reward,
                null,
                reason,
                List.of(new VersionSpan(0, tokens.length)),
                "engine",
                2,
                4,
                4,
                null,
                null,
                null,
                null);
    }
}
