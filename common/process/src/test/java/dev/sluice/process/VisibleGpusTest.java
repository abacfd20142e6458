package dev.sluice.process;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import org.junit.jupiter.api.Test;

class VisibleGpusTest {
    @Test
    void aServiceThatSeesAllGpusGivesThemByTheirIndex() {
        assertThat(VisibleGpus.of(List.of(2, 3), null)).isEqualTo("2,3");
    }

    @Test
    void aServiceThatSeesSomeGivesOnlyOfThese() {
        assertThat(VisibleGpus.of(List.of(0, 2), "4,5, 6,7")).isEqualTo("4,6");
        assertThat(VisibleGpus.of(List.of(1), "GPU-8a1,MIG-77")).isEqualTo("MIG-77");
    }

    @Test
    void moreThanItSeesIsRefusedWithTheMend() {
        assertThatThrownBy(() -> VisibleGpus.of(List.of(0, 2), "4,5"))
                .hasMessage(
                        "GPU 2 is to be used, but CUDA_VISIBLE_DEVICES=4,5 shows 2; correct the number of GPUs in the service's configuration");
    }
}
