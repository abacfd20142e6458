package dev.sluice.domain.constraint;

import dev.sluice.domain.candidate.Candidate;
import dev.sluice.domain.candidate.TrainingSide.Layout;
import dev.sluice.domain.model.ModelSpec;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;

/**
 * How Megatron splits layers into pipeline stages.
 *
 * @param slots layers of each stage, the embedding and the loss counted where they take a layer's place
 * @param layers layers of each stage
 * @see <a href="https://github.com/NVIDIA/Megatron-LM/blob/main/megatron/core/transformer/transformer_config.py">
 *     TransformerConfig, pipeline_model_parallel_layout and uneven stages</a>
 */
record Stages(List<Integer> slots, List<Integer> layers) {
    static final String LAYOUT = "--pipeline-model-parallel-layout";
    static final String EMBEDDING = "--account-for-embedding-in-pipeline-split";
    static final String LOSS = "--account-for-loss-in-pipeline-split";

    /** The stages; null where the split is not legal (rules M08 to M11) or a layout of its own tells it. */
    static @Nullable Stages of(Candidate candidate) {
        Layout layout = candidate.training().layout();
        if (layout.pp() < 1 || Given.has(candidate, LAYOUT)) {
            return null;
        }
        return layout.firstStageLayers() == null && layout.lastStageLayers() == null
                ? even(candidate, layout.pp())
                : uneven(candidate.model().layers(), layout);
    }

    /** Layers that an even split counts: the embedding and the loss may take the place of one each. */
    static int counted(Candidate candidate) {
        return candidate.model().layers()
                + (Given.has(candidate, EMBEDDING) ? 1 : 0)
                + (Given.has(candidate, LOSS) ? 1 : 0);
    }

    private static @Nullable Stages even(Candidate candidate, int stages) {
        int counted = counted(candidate);
        if (counted % stages != 0) {
            return null;
        }
        List<Integer> slots = Collections.nCopies(stages, counted / stages);
        List<Integer> layers = new ArrayList<>(slots);
        layers.set(0, layers.getFirst() - (Given.has(candidate, EMBEDDING) ? 1 : 0));
        layers.set(stages - 1, layers.getLast() - (Given.has(candidate, LOSS) ? 1 : 0));
        return new Stages(slots, List.copyOf(layers));
    }

    private static @Nullable Stages uneven(int layers, Layout layout) {
        Integer first = layout.firstStageLayers();
        Integer last = layout.lastStageLayers();
        int middle = middleStages(layout);
        int rest = middleLayers(layers, layout);
        boolean legal = (first == null || first > 0)
                && (last == null || last > 0)
                && (middle == 0 ? rest == 0 : middle > 0 && rest > 0 && rest % middle == 0);
        if (!legal) {
            return null;
        }
        List<Integer> stages = new ArrayList<>();
        if (first != null) {
            stages.add(first);
        }
        stages.addAll(Collections.nCopies(middle, middle == 0 ? 0 : rest / middle));
        if (last != null) {
            stages.add(last);
        }
        return new Stages(List.copyOf(stages), List.copyOf(stages));
    }

    /** Stages between those whose layers are given. */
    static int middleStages(Layout layout) {
        return layout.pp() - (layout.firstStageLayers() == null ? 0 : 1) - (layout.lastStageLayers() == null ? 0 : 1);
    }

    /** Layers left for the stages in the middle. */
    static int middleLayers(int layers, Layout layout) {
        Integer first = layout.firstStageLayers();
        Integer last = layout.lastStageLayers();
        return layers - (first == null ? 0 : first) - (last == null ? 0 : last);
    }

    /**
     * Virtual stages of a rank as the flags tell them: 1 where schedules are not interleaved, 0 where they do not come out
     * even (rule M12).
     */
    static int virtual(Candidate candidate) {
        int stages = Given.count(candidate, "--num-virtual-stages-per-pipeline-rank", 0);
        int layers = Given.count(candidate, "--num-layers-per-virtual-pipeline-stage", 0);
        int pp = candidate.training().layout().pp();
        if (Given.has(candidate, "--num-virtual-stages-per-pipeline-rank")) {
            return Math.max(0, stages);
        }
        if (!Given.has(candidate, "--num-layers-per-virtual-pipeline-stage")) {
            return 1;
        }
        int counted = counted(candidate);
        return pp < 1 || layers < 1 || counted % pp != 0 || counted / pp % layers != 0 ? 0 : counted / pp / layers;
    }

    /** The largest last stage that is no larger than the equal stages before it; none where no split does. */
    static OptionalInt lastStage(int layers, int stages) {
        if (stages < 2) {
            return OptionalInt.empty();
        }
        for (int last = layers / stages; last > 0; last--) {
            if ((layers - last) % (stages - 1) == 0) {
                return OptionalInt.of(last);
            }
        }
        return OptionalInt.empty();
    }

    /** The first stage that starts on a layer that uses an earlier layer's index; none where all compute their own. */
    OptionalInt firstReusing(ModelSpec.Indexer indexer) {
        int layer = 1;
        for (int stage = 0; stage < layers.size(); stage++) {
            if (reuses(indexer, layer)) {
                return OptionalInt.of(stage);
            }
            layer += layers.get(stage);
        }
        return OptionalInt.empty();
    }

    /** Where a stage starts, counted from 1. */
    int start(int stage) {
        return 1 + layers.subList(0, stage).stream().mapToInt(Integer::intValue).sum();
    }

    /** Whether a layer, counted from 1, uses an earlier layer's index; the formula is Megatron's is_dsa_skip_topk_layer. */
    static boolean reuses(ModelSpec.Indexer indexer, int layer) {
        return Math.max(layer - Math.max(indexer.from(), 1), 0) % Math.max(indexer.every(), 1) != 0;
    }
}
