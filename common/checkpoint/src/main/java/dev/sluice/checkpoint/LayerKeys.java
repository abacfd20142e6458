package dev.sluice.checkpoint;

import java.util.SortedSet;

/**
 * How Megatron keys the layers of the decoder.
 *
 * @see <a href="https://github.com/NVIDIA/Megatron-LM/blob/core_v0.16.1/megatron/core/transformer/transformer_block.py">TransformerBlock.sharded_state_dict</a>
 */
enum LayerKeys {
    /** {@code decoder.layers.7.}: always if {@code moe_layer_freq} is a list, as slime gives it. */
    NUMBERED,
    /** {@code decoder.layers.} with the layer as the first axis: models whose layers are alike. */
    STACKED;

    static final String LAYERS = "decoder.layers.";

    /** What a checkpoint uses, under a prefix. */
    static LayerKeys of(SortedSet<String> keys, String prefix) {
        String numbered = prefix + LAYERS + "0.";
        SortedSet<String> from = keys.tailSet(numbered);
        return !from.isEmpty() && from.first().startsWith(numbered) ? NUMBERED : STACKED;
    }
}
