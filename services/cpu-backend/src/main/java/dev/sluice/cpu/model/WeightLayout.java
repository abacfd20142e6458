package dev.sluice.cpu.model;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The fused tensors of a model and the on-disk names that lie in them.
 *
 * <p>Gate and up projections are stacked, and so are all experts of a layer: rows of expert {@code e} in
 * {@code experts_gate_up} begin at {@code e * 2 * expertSize} (gate, then up), its columns in {@code experts_down} at
 * {@code e * expertSize}. That makes the whole expert part two matrix products.
 */
final class WeightLayout {
    private final Map<String, List<Long>> fused = new LinkedHashMap<>();
    private final List<WeightSlice> slices = new ArrayList<>();
    private final ModelConfig config;
    private final long hidden;

    private WeightLayout(ModelConfig config) {
        this.config = config;
        this.hidden = config.hiddenSize();
    }

    /** Shapes of the fused tensors by name, and every on-disk name in a fixed order. */
    static WeightLayout of(ModelConfig config) {
        WeightLayout layout = new WeightLayout(config);
        long vocabulary = config.vocabularySize();
        layout.whole("model.embed_tokens.weight", "embed", vocabulary, layout.hidden);
        layout.whole("lm_head.weight", "head", vocabulary, layout.hidden);
        layout.whole("model.norm.weight", "norm", layout.hidden);
        for (int layer = 0; layer < config.layers() + config.mtpLayers(); layer++) {
            layout.attention(layer);
            if (config.isSparse(layer)) {
                layout.experts(layer);
            } else {
                layout.dense(layer);
            }
        }
        if (config.mtpLayers() == 1) {
            layout.mtp(config.layers());
        }
        return layout;
    }

    Map<String, List<Long>> fused() {
        return fused;
    }

    List<WeightSlice> slices() {
        return slices;
    }

    private void attention(int layer) {
        ModelConfig.Attention a = config.attention();
        String disk = disk(layer) + "self_attn.";
        String name = name(layer);
        whole(disk(layer) + "input_layernorm.weight", name + "attention_norm", hidden);
        whole(disk + "q_a_proj.weight", name + "q_a", a.queryRank(), hidden);
        whole(disk + "q_a_layernorm.weight", name + "q_a_norm", a.queryRank());
        whole(disk + "q_b_proj.weight", name + "q_b", (long) a.heads() * a.queryHeadSize(), a.queryRank());
        whole(disk + "kv_a_proj_with_mqa.weight", name + "kv_a", a.cacheWidth(), hidden);
        whole(disk + "kv_a_layernorm.weight", name + "kv_a_norm", a.latentRank());
        long expanded = (long) a.heads() * (a.plainHeadSize() + a.valueHeadSize());
        whole(disk + "kv_b_proj.weight", name + "kv_b", expanded, a.latentRank());
        whole(disk + "o_proj.weight", name + "o", hidden, (long) a.heads() * a.valueHeadSize());
        whole(disk(layer) + "post_attention_layernorm.weight", name + "feed_forward_norm", hidden);
    }

    private void dense(int layer) {
        gated(disk(layer) + "mlp.", name(layer), config.feedForward().denseSize());
    }

    private void experts(int layer) {
        ModelConfig.FeedForward f = config.feedForward();
        String disk = disk(layer) + "mlp.";
        String name = name(layer);
        long size = f.expertSize();
        whole(disk + "gate.weight", name + "router", f.experts(), hidden);
        whole(disk + "gate.e_score_correction_bias", name + "router_bias", f.experts());
        fused.put(name + "experts_gate_up", List.of(f.experts() * 2 * size, hidden));
        fused.put(name + "experts_down", List.of(hidden, f.experts() * size));
        for (int expert = 0; expert < f.experts(); expert++) {
            String own = disk + "experts." + expert + ".";
            slice(own + "gate_proj.weight", name + "experts_gate_up", 0, 2 * expert * size, size, hidden);
            slice(own + "up_proj.weight", name + "experts_gate_up", 0, (2 * expert + 1) * size, size, hidden);
            slice(own + "down_proj.weight", name + "experts_down", 1, expert * size, hidden, size);
        }
        gated(disk + "shared_experts.", name + "shared_", f.sharedSize());
    }

    private void mtp(int layer) {
        String disk = disk(layer);
        String name = name(layer);
        whole(disk + "enorm.weight", name + "embed_norm", hidden);
        whole(disk + "hnorm.weight", name + "hidden_norm", hidden);
        whole(disk + "eh_proj.weight", name + "join", hidden, 2 * hidden);
        whole(disk + "shared_head.norm.weight", name + "head_norm", hidden);
        List<Long> shape = List.of((long) config.vocabularySize(), hidden);
        slices.add(new WeightSlice(disk + "embed_tokens.weight", shape, "embed", 0, 0, true));
        slices.add(new WeightSlice(disk + "shared_head.head.weight", shape, "head", 0, 0, true));
    }

    private void gated(String disk, String name, long size) {
        fused.put(name + "gate_up", List.of(2 * size, hidden));
        slice(disk + "gate_proj.weight", name + "gate_up", 0, 0, size, hidden);
        slice(disk + "up_proj.weight", name + "gate_up", 0, size, size, hidden);
        whole(disk + "down_proj.weight", name + "down", hidden, size);
    }

    private void whole(String disk, String name, long... shape) {
        List<Long> sizes = Arrays.stream(shape).boxed().toList();
        fused.put(name, sizes);
        slices.add(new WeightSlice(disk, sizes, name, 0, 0, false));
    }

    private void slice(String disk, String name, int axis, long start, long rows, long columns) {
        slices.add(new WeightSlice(disk, List.of(rows, columns), name, axis, start, false));
    }

    private static String disk(int layer) {
        return "model.layers." + layer + ".";
    }

    private static String name(int layer) {
        return "layers." + layer + ".";
    }
}
