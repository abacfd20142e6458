package dev.sluice.domain.training;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import org.junit.jupiter.api.Test;

/** Expected numbers: slime's own formula for group normalisation, evaluated outside of this program to six decimals. */
class AdvantagesTest {
    @Test
    void divideByTheSampleDeviationAsSlimeDoes() {
        double[] advantages = Advantages.ofGroups(new double[] {1, 0, 0, 1}, new int[4], true);

        assertClose(advantages, 0.866024, -0.866024, -0.866024, 0.866024);
    }

    @Test
    void giveTheOneSuccessOfEightTheLargestAdvantage() {
        double[] advantages = Advantages.ofGroups(new double[] {1, 0, 0, 0, 0, 0, 0, 0}, new int[8], true);

        assertThat(advantages[0]).isCloseTo(2.474867, within(1e-6));
        assertThat(Arrays.copyOfRange(advantages, 1, 8)).containsOnly(new double[] {-0.353552}, within(1e-6));
    }

    @Test
    void areZeroWhereAllRewardsAreEqual() {
        assertThat(Advantages.ofGroups(new double[] {0.1, 0.1, 0.1}, new int[3], true))
                .containsOnly(0);
    }

    /** slime issue 1414: centred by the batch's mean, the constant group would get +3.363636. */
    @Test
    void keepGroupsOfDifferentSizesApart() {
        double[] rewards = {1, 0, 0, 1, 5, 5, 5, 0, 0, 1, 0};
        int[] groups = {0, 0, 0, 0, 1, 1, 1, 2, 2, 2, 2};

        double[] centred = Advantages.ofGroups(rewards, groups, false);

        assertClose(centred, 0.5, -0.5, -0.5, 0.5, 0, 0, 0, -0.25, -0.25, 0.75, -0.25);
    }

    @Test
    void areZeroForAGroupOfOne() {
        assertThat(Advantages.ofGroups(new double[] {3}, new int[] {7}, true)).containsExactly(0);
    }

    @Test
    void refuseARewardThatIsNoNumber() {
        assertThatThrownBy(() -> Advantages.ofGroups(new double[] {Double.NaN}, new int[1], true))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("sample 0");
    }

    private static void assertClose(double[] actual, double... expected) {
        assertThat(actual).containsExactly(expected, within(1e-6));
    }
}
