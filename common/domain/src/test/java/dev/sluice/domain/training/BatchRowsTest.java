package dev.sluice.domain.training;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.sluice.events.GroupEvent.FinishReason;
import dev.sluice.events.GroupEvent.GroupSampled;
import dev.sluice.events.GroupEvent.Sample;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Expected columns are laid out by hand from the description of the batch file. */
class BatchRowsTest {
    private static final BatchRules ONE_RANK = new BatchRules(1, 1, Integer.MAX_VALUE, AdvantageRule.grpo(true));

    @Test
    void aBatchOfFewerGroupsHasStillASampleForEachRankInEachMiniBatch() {
        BatchRules eightRanks = new BatchRules(3, 8, Integer.MAX_VALUE, AdvantageRule.grpo(true));

        assertThat(eightRanks.fewestGroups(8)).isEqualTo(1);
        assertThat(eightRanks.fewestGroups(4)).isEqualTo(6);
        assertThat(eightRanks.fewestGroups(3)).isEqualTo(9);
        assertThat(ONE_RANK.fewestGroups(1)).isEqualTo(1);
    }

    @Test
    void laysSamplesEndToEndWithMaskedPrompts() {
        GroupSampled group = Groups.group(
                5,
                0,
                List.of(
                        Groups.sample(1, new int[] {30}, 4, 0.0, FinishReason.LENGTH),
                        Groups.sample(0, new int[] {20, 21}, 3, 1.0, FinishReason.STOP)));

        BatchRows rows = BatchRows.of(List.of(group), ONE_RANK);

        assertThat(rows.tokens()).containsExactly(1, 2, 20, 21, 1, 2, 30);
        assertThat(rows.cuSeqlens()).containsExactly(0, 4, 7);
        assertThat(rows.promptLengths()).containsExactly(2, 2);
        assertThat(rows.sampleIds()).containsExactly(10, 11);
        assertThat(rows.groups()).containsExactly(0, 0);
        assertThat(rows.lossDenominators()).containsExactly(2, 1);
        assertThat(rows.truncated()).containsExactly(0, 1);
        assertThat(rows.lossMask()).containsExactly(0, 0, 1, 1, 0, 0, 1);
        assertThat(rows.rolloutLogprobs()).containsExactly(0, 0, -0.5f, -0.5f, 0, 0, -0.5f);
        assertThat(rows.weightVersions()).containsExactly(0, 0, 3, 3, 0, 0, 4);
        // 0.5 / (sqrt(0.5) + 1e-6)
        assertThat(rows.advantages())
                .containsExactly(new float[] {0, 0, 0.707106f, 0.707106f, 0, 0, -0.707106f}, within(1e-6f));
        assertThat(rows.responseTokens()).isEqualTo(3);
        assertThat(rows.trainedTokens()).isEqualTo(3);
    }

    @Test
    void cutsOptimizerStepsBetweenGroups() {
        List<GroupSampled> groups = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            groups.add(Groups.sampled(i, 0, 0, 1, 0));
        }

        BatchRows rows = BatchRows.of(groups, new BatchRules(2, 1, Integer.MAX_VALUE, AdvantageRule.grpo(true)));

        assertThat(optimizerSteps(rows)).containsExactly(0, 0, 0, 0, 1, 1, 1, 1);
    }

    /** Requests whose groups do not divide are refused; whatever comes here, nothing is left out. */
    @Test
    void trailingGroupsThatDoNotDivideAreTrainedOnAllTheSame() {
        List<GroupSampled> groups = new ArrayList<>();
        for (int i = 0; i < 5; i++) {
            groups.add(Groups.sampled(i, 0, 0, 1));
        }

        assertThat(optimizerSteps(BatchRows.of(groups, rules(2)))).containsExactly(0, 0, 0, 1, 1);
        assertThat(optimizerSteps(BatchRows.of(groups, rules(3)))).containsExactly(0, 0, 1, 1, 2);
        assertThat(optimizerSteps(BatchRows.of(groups, rules(9)))).containsExactly(0, 1, 2, 3, 4);
    }

    private static BatchRules rules(int optimizerSteps) {
        return new BatchRules(
                optimizerSteps,
                1,
                Integer.MAX_VALUE,
                new AdvantageRule(AdvantageEstimator.REINFORCE_PLUS_PLUS, false, 1, false));
    }

    @Test
    void givesEveryRankTheSameNumberOfMicroBatches() {
        List<Sample> samples = new ArrayList<>();
        int[] lengths = {8, 8, 1, 1, 1, 1, 1, 1};
        for (int i = 0; i < lengths.length; i++) {
            samples.add(Groups.sample(i, new int[lengths[i]], 0, (double) (i % 2), FinishReason.STOP));
        }

        // Prompts have 2 tokens: the long samples 10, the short ones 3. Each rank gets 10 + 3 * 3 = 19 tokens.
        BatchRows rows =
                BatchRows.of(List.of(Groups.group(0, 0, samples)), new BatchRules(1, 2, 10, AdvantageRule.grpo(true)));

        for (int rank = 0; rank < 2; rank++) {
            int[] tokens = tokensByMicroBatch(rows, rank);
            assertThat(tokens).containsExactlyInAnyOrder(10, 9);
        }
    }

    @Test
    void hashesTheSameContentAlikeAndAnyOtherDifferently() {
        List<GroupSampled> groups = List.of(Groups.sampled(0, 0, 0, 1, 0), Groups.sampled(1, 0, 0, 0, 1));

        String hash = BatchRows.of(groups, ONE_RANK).sha256();

        assertThat(BatchRows.of(List.copyOf(groups), ONE_RANK).sha256()).isEqualTo(hash);
        assertThat(BatchRows.of(groups.reversed(), ONE_RANK).sha256()).isNotEqualTo(hash);
        assertThat(BatchRows.of(groups, new BatchRules(1, 1, Integer.MAX_VALUE, AdvantageRule.grpo(false)))
                        .sha256())
                .isNotEqualTo(hash);
    }

    private static int[] optimizerSteps(BatchRows rows) {
        int[] steps = new int[rows.samples()];
        for (int row = 0; row < steps.length; row++) {
            steps[row] = rows.schedule()[3 * row];
        }
        return steps;
    }

    private static int[] tokensByMicroBatch(BatchRows rows, int rank) {
        int[] tokens = new int[2];
        for (int row = 0; row < rows.samples(); row++) {
            if (rows.schedule()[3 * row + 1] == rank) {
                tokens[rows.schedule()[3 * row + 2]] += rows.length(row);
            }
        }
        return tokens;
    }
}
