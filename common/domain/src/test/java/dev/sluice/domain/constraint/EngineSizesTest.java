package dev.sluice.domain.constraint;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class EngineSizesTest {
    /** The planner specification's table of engines of GLM-4.7-Flash (64 experts, 20 heads), section 5. */
    @ParameterizedTest
    @CsvSource({
        "8, 0, 8, 8 4 2",
        "12, 8, 6, 12 6 3",
        "16, 0, 4, 16 8 4",
        "20, 16, 4, 20 10 5 4 2 1",
        "24, 8, 3, 24 12 6",
        "32, 0, 2, 32 16 8",
        "40, 16, 2, 40 20 10 8 4 2",
        "48, 32, 2, 48 24 12",
        "56, 48, 2, 56 28 14",
        "64, 0, 1, 64 32 16"
    })
    void anEngineHasALeastNumberOfRedundantExpertsAndItsLegalAttentionGroups(
            int gpus, int redundant, int slotsPerGpu, String groups) {
        assertThat(EngineSizes.leastRedundant(64, gpus)).isEqualTo(redundant);
        assertThat((64 + redundant) / gpus).isEqualTo(slotsPerGpu);
        assertThat(EngineSizes.dp(TestModels.GLM_47_FLASH, gpus))
                .isEqualTo(
                        Arrays.stream(groups.split(" ")).map(Integer::valueOf).toList());
    }

    @Test
    void sizesAreListedAsPeopleDo() {
        assertThat(EngineSizes.either(List.of(24, 12, 6))).isEqualTo("24, 12 or 6");
        assertThat(EngineSizes.either(List.of(8, 4))).isEqualTo("8 or 4");
        assertThat(EngineSizes.either(List.of(8))).isEqualTo("8");
        assertThat(EngineSizes.either(List.of())).isEmpty();
    }

    @Test
    void aNumberBelowOneHasNoDivisors() {
        assertThat(EngineSizes.divisors(0, size -> true)).isEmpty();
        assertThat(EngineSizes.divisors(-8, size -> true)).isEmpty();
    }
}
