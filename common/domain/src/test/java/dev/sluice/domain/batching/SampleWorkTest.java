package dev.sluice.domain.batching;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.data.Percentage.withPercentage;

import dev.sluice.domain.model.Parameters;
import dev.sluice.domain.model.PublishedModels;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Expected operations: slime's calculate_fwd_flops with the sizes of GLM-4.7-Flash, run on the same lengths. */
class SampleWorkTest {
    private static final int HIDDEN = 2048;

    /**
     * slime counts the output projection as hidden * hidden; it is 20 heads of 256 values wide. It leaves out the 64 outputs of the
     * 46 routers. All else is the same.
     */
    @ParameterizedTest
    @CsvSource({"1024, 7.217156e12", "8192, 8.599813e13", "32768, 7.315704e14"})
    void operationsOfGlmFlashAreSlimesAndThoseItLeavesOut(int tokens, double slime) {
        SampleWork work = SampleWork.of(
                new Parameters(PublishedModels.named("GLM-4.7-Flash").orElseThrow()).figures());

        double projections = 2.0 * tokens * 47 * (20 * 256 - HIDDEN) * HIDDEN;
        double routers = 2.0 * tokens * 46 * 64 * HIDDEN;

        assertThat(work.of(tokens) - projections - routers).isCloseTo(slime, withPercentage(0.01));
    }

    @Test
    void aPlanWithoutOperationsBalancesTokens() {
        assertThat(SampleWork.TOKENS.of(7)).isEqualTo(7);
    }
}
