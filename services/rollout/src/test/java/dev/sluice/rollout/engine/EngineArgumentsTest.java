package dev.sluice.rollout.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class EngineArgumentsTest {
    @Test
    void gpusOfAnEngineAreCountedOverItsRanksAndItsReplicas() {
        assertThat(EngineArguments.gpus(List.of())).isEqualTo(1);
        assertThat(EngineArguments.gpus(List.of("--tp-size", "8", "--dp-size", "8", "--enable-dp-attention")))
                .isEqualTo(8);
        assertThat(EngineArguments.gpus(List.of("--tp", "2", "--dp-size=2", "--pp-size", "3")))
                .isEqualTo(12);
    }

    @Test
    void flagsOfTheRecipeAreTaken() {
        // Given: slime, scripts/run-glm4.7-30B-A3B.sh, SGLANG_ARGS without the router's
        List<String> recipe = List.of(
                "--mem-fraction-static",
                "0.7",
                "--enable-dp-attention",
                "--dp-size",
                "8",
                "--enable-dp-lm-head",
                "--moe-dense-tp-size",
                "1",
                "--cuda-graph-max-bs",
                "16",
                "--max-running-requests",
                "64",
                "--speculative-algorithm",
                "EAGLE",
                "--speculative-num-steps",
                "2",
                "--speculative-eagle-topk",
                "1",
                "--speculative-num-draft-tokens",
                "3");
        // When
        List<String> checked = EngineArguments.check(recipe, path -> Optional.empty());
        // Then
        assertThat(checked).isEqualTo(recipe);
    }

    @Test
    void flagsThatRunOtherCodeOrNamePathsAreRefusedAllAtOnce() {
        // Given
        List<String> hostile =
                List.of("--custom-weight-loader", "--model-path=/etc", "--host", "0.0.0.0", "--dtype", "float32");
        // When / Then
        assertThatThrownBy(() -> EngineArguments.check(hostile, path -> Optional.empty()))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("[--custom-weight-loader, --host, --model-path]");
    }

    @Test
    void anAbbreviatedFlagIsNoWayRoundTheList() {
        // argparse accepts unambiguous prefixes, so a prefix must be refused like any unknown flag
        assertThatThrownBy(() -> EngineArguments.check(List.of("--trust-rem"), path -> Optional.empty()))
                .hasMessageContaining("--trust-rem");
    }
}
