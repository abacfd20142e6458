package dev.sluice.domain.memory;

import dev.sluice.domain.candidate.TrainingSide.Layout;
import java.util.Optional;

/**
 * How many decoder layers each pipeline stage holds.
 *
 * @see <a href="https://github.com/NVIDIA/Megatron-LM/blob/main/megatron/core/transformer/transformer_config.py">Megatron's
 *     transformer_config, num_layers_in_first_pipeline_stage and its last</a>
 */
public final class PipelineStages {
    private PipelineStages() {}

    /** Layers by stage, first to last; empty where Megatron refuses the split. */
    public static Optional<int[]> of(int layers, Layout layout) {
        int stages = layout.pp();
        int first = layout.firstStageLayers() == null ? 0 : layout.firstStageLayers();
        int last = layout.lastStageLayers() == null ? 0 : layout.lastStageLayers();
        int middleStages = stages - (first > 0 ? 1 : 0) - (last > 0 ? 1 : 0);
        int middleLayers = layers - first - last;
        boolean stageWithoutLayers =
                layout.firstStageLayers() != null && first < 1 || layout.lastStageLayers() != null && last < 1;
        if (stages < 1 || stageWithoutLayers || middleStages < 0 || middleLayers < 0) {
            return Optional.empty();
        }
        if (middleStages == 0 ? middleLayers != 0 : middleLayers == 0 || middleLayers % middleStages != 0) {
            return Optional.empty();
        }
        int[] split = new int[stages];
        for (int stage = 0; stage < stages; stage++) {
            boolean ofItsOwn = stage == 0 && first > 0 || stage == stages - 1 && last > 0;
            split[stage] = ofItsOwn ? (stage == 0 && first > 0 ? first : last) : middleLayers / middleStages;
        }
        return Optional.of(split);
    }
}
