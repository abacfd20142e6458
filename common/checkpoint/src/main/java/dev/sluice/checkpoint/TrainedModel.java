package dev.sluice.checkpoint;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;

/**
 * What a torch_dist checkpoint is made of, under Hugging Face names.
 *
 * @param config the model's {@code config.json}
 * @param iteration empty for a release, which holds weights only
 * @param weights every tensor of the model; the repeated embedding and head of a multi-token-prediction layer are left out of the file
 * @param optimizerStates for each family, such as {@code exp_avg}, tensors under the names of the weights they belong to; a family may leave weights out
 * @param scalars small values of the training state: numbers, texts, booleans, lists
 */
public record TrainedModel(
        JsonNode config,
        OptionalLong iteration,
        List<TensorSource> weights,
        Map<String, List<TensorSource>> optimizerStates,
        Map<String, Object> scalars) {
    public TrainedModel {
        weights = List.copyOf(weights);
        optimizerStates = Map.copyOf(optimizerStates);
        scalars = Map.copyOf(scalars);
    }

    /** Weights alone, as Megatron starts from. */
    public static TrainedModel release(JsonNode config, Collection<? extends TensorSource> weights) {
        return new TrainedModel(config, OptionalLong.empty(), List.copyOf(weights), Map.of(), Map.of());
    }
}
