package dev.sluice.domain.training;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class RewardSpreadTest {
    /** By numpy 2.4.6: {@code std(ddof=1) > 1e-6} of float64, and {@code f"zero_std_{round(rewards[0], 1)}"} where it is not. */
    @ParameterizedTest
    @CsvSource(nullValues = "kept", textBlock = """
            1.0 1.0,                     zero_std_1.0
            0.0 0.0 0.0,                 zero_std_0.0
            1.0 0.0,                     kept
            0.1 0.1 0.1,                 zero_std_0.1
            0.25 0.25,                   zero_std_0.2
            0.35 0.35,                   zero_std_0.3
            -0.04 -0.04,                 zero_std_-0.0
            -0.25 -0.25 -0.25,           zero_std_-0.2
            2.675 2.675,                 zero_std_2.7
            1.0 1.0000014,               zero_std_1.0
            1.0 1.0000015,               kept
            0.3 0.3000009 0.3,           zero_std_0.3
            1e7 1e7,                     zero_std_10000000.0
            123456789.05 123456789.05,   zero_std_123456789.0
            3e12 3e12 3e12,              zero_std_3000000000000.0
            0.5,                         zero_std_0.5
            """)
    void leavesOutRewardsThatDoNotDifferAndNamesTheReasonAsSlimeDoes(String rewards, String reason) {
        double[] given = Arrays.stream(rewards.split(" "))
                .mapToDouble(Double::parseDouble)
                .toArray();

        assertThat(RewardSpread.objection(Groups.sampled(0, 0, 0, given)).orElse(null))
                .isEqualTo(reason);
    }
}
