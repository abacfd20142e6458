package dev.sluice.domain.training;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.EnumSource.Mode;

/**
 * Expected numbers: slime's get_reinforce_plus_plus_returns, get_reinforce_plus_plus_baseline_advantages and
 * distributed_masked_whiten, written out in plain Python and evaluated to six decimals; RLOO by hand.
 */
class AdvantageRuleTest {
    private static final float SIX_DECIMALS = 1e-6f;

    /** Three responses; the middle one has a masked token within and one at its end. */
    private static final byte[][] MASKS = {{1, 1, 1}, {1, 0, 1, 1, 0}, {1, 1}};

    private static final double[] REWARDS = {1, -0.5, 2};

    @Test
    void reinforcePlusPlusDiscountsFromTheLastTrainedTokenBack() {
        AdvantageRule rule = new AdvantageRule(AdvantageEstimator.REINFORCE_PLUS_PLUS, true, 0.9, false);

        assertClose(
                responses(rule, new int[] {0, 0, 1}, REWARDS, MASKS),
                0.81f,
                0.9f,
                1,
                -0.3645f,
                -0.405f,
                -0.45f,
                -0.5f,
                0,
                1.8f,
                2);
    }

    @Test
    void reinforcePlusPlusWhitensOverTheTokensThatAreTrained() {
        AdvantageRule rule = new AdvantageRule(AdvantageEstimator.REINFORCE_PLUS_PLUS, true, 0.9, true);

        assertClose(
                responses(rule, new int[] {0, 0, 1}, REWARDS, MASKS),
                0.161519f,
                0.252056f,
                0.352652f,
                -1.01998f,
                -1.060721f,
                -1.10599f,
                -1.156288f,
                -0.653308f,
                1.157419f,
                1.358611f);
    }

    @Test
    void withoutDiscountEveryTokenUpToTheLastTrainedOneReturnsTheReward() {
        AdvantageRule rule = new AdvantageRule(AdvantageEstimator.REINFORCE_PLUS_PLUS, true, 1, true);

        assertClose(
                responses(rule, new int[] {0, 0, 1}, REWARDS, MASKS),
                0.29289f,
                0.29289f,
                0.29289f,
                -1.11298f,
                -1.11298f,
                -1.11298f,
                -1.11298f,
                -0.644357f,
                1.230136f,
                1.230136f);
    }

    @Test
    void theBaselineFormCentresUnevenGroupsAndWhitensWithoutTheirDeviation() {
        AdvantageRule rule = new AdvantageRule(AdvantageEstimator.REINFORCE_PLUS_PLUS_BASELINE, true, 1, true);
        byte[][] masks = {{1}, {1, 1, 1}, {1, 1}, {1}, {1, 1}};

        assertClose(
                responses(rule, new int[] {0, 0, 0, 1, 1}, new double[] {1, 0, 2, 4, 0}, masks),
                0.235702f,
                -0.471405f,
                -0.471405f,
                -0.471405f,
                0.942809f,
                0.942809f,
                1.649916f,
                -1.178511f,
                -1.178511f);
    }

    @Test
    void rlooComparesWithTheMeanOfTheOthersWhateverTheGroupsSizes() {
        AdvantageRule rule = new AdvantageRule(AdvantageEstimator.RLOO, true, 1, false);
        byte[][] masks = {{1}, {1}, {1}, {1}, {1}, {1}, {1}, {1}, {1}, {1}, {1}};

        assertClose(
                responses(
                        rule,
                        new int[] {0, 0, 0, 0, 1, 1, 1, 2, 2, 2, 3},
                        new double[] {1, 0, 0, 1, 5, 5, 5, 0, 0, 1, 7},
                        masks),
                0.666667f,
                -0.666667f,
                -0.666667f,
                0.666667f,
                0,
                0,
                0,
                -0.5f,
                -0.5f,
                1,
                0);
    }

    @ParameterizedTest
    @EnumSource(names = {"GRPO", "GSPO", "CISPO"})
    void groupsAreDividedByTheirDeviationWhereAskedFor(AdvantageEstimator estimator) {
        byte[][] masks = {{1}, {1}, {1}, {1}};
        double[] rewards = {1, 0, 0, 1};

        assertClose(
                responses(new AdvantageRule(estimator, true, 1, false), new int[4], rewards, masks),
                0.866024f,
                -0.866024f,
                -0.866024f,
                0.866024f);
        assertClose(
                responses(new AdvantageRule(estimator, false, 1, false), new int[4], rewards, masks),
                0.5f,
                -0.5f,
                -0.5f,
                0.5f);
    }

    @ParameterizedTest
    @EnumSource(
            names = {"REINFORCE_PLUS_PLUS", "PPO"},
            mode = Mode.EXCLUDE)
    void equalRewardsTeachNothing(AdvantageEstimator estimator) {
        byte[][] masks = {{1, 1}, {1}};

        assertClose(
                responses(
                        new AdvantageRule(estimator, true, 1, estimator.needsWhitening()),
                        new int[2],
                        new double[] {0.1, 0.1},
                        masks),
                0,
                0,
                0);
    }

    @Test
    void aBatchWithoutTrainedTokensIsLeftAlone() {
        AdvantageRule rule = new AdvantageRule(AdvantageEstimator.REINFORCE_PLUS_PLUS, true, 1, true);

        assertClose(responses(rule, new int[1], new double[] {3}, new byte[][] {{0, 0}}), 0, 0);
    }

    /** Advantages of the responses' tokens one after the other; each sample has a prompt of one token. */
    private static float[] responses(AdvantageRule rule, int[] groups, double[] rewards, byte[][] masks) {
        BatchRows rows = Rows.of(groups, rewards, masks);
        rule.fill(rows);
        for (int row = 0; row < rows.samples(); row++) {
            assertThat(rows.advantages()[rows.cuSeqlens()[row]])
                    .as("prompt of sample %d", row)
                    .isZero();
        }
        return Rows.responses(rows, rows.advantages());
    }

    private static void assertClose(float[] actual, float... expected) {
        assertThat(actual).containsExactly(expected, within(SIX_DECIMALS));
    }
}
