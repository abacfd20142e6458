package dev.sluice.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class TorchDistCheckpointTest {
    @Test
    void readsWhatMegatron016Saved() {
        // When
        try (TorchDistCheckpoint checkpoint = TorchDistCheckpoint.open(Fixtures.TORCH_DIST_016)) {
            // Then the fixture has 63 tensors (Megatron's own listing) and a release has no iteration
            assertThat(checkpoint.keys()).hasSize(63);
            assertThat(checkpoint.iteration()).isEmpty();
            assertThat(checkpoint.arguments()).containsEntry("num_layers", 3L).containsEntry("hidden_size", 64L);
            for (String key : checkpoint.keys()) {
                assertThat(checkpoint.read(key).remaining())
                        .isEqualTo((int) checkpoint.entry(key).bytes());
            }
        }
    }

    @Test
    void readsTheCommonStateFromInsideTheDataOfMegatron020() {
        // When
        try (TorchDistCheckpoint checkpoint = TorchDistCheckpoint.open(Fixtures.TORCH_DIST_020)) {
            // Then
            assertThat(checkpoint.keys()).hasSize(63);
            assertThat(checkpoint.common())
                    .containsEntry("checkpoint_version", 3.0)
                    .containsEntry("iteration", 1L);
            assertThat(checkpoint.arguments()).containsEntry("num_attention_heads", 4L);
        }
    }
}
