package dev.sluice.checkpoint;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * How one model family names its tensors on both sides; read from the resource named after its model_type. Names of layers are relative to the layer.
 *
 * @param nextTokenLayer what a multi-token-prediction layer has besides a whole expert layer
 * @param nextTokenCopies tensors that Hugging Face repeats inside that layer and Megatron shares
 */
@JsonIgnoreProperties("about")
record ModelFamily(
        String modelType,
        List<Row> model,
        List<Row> everyLayer,
        List<Row> denseLayer,
        List<Row> expertLayer,
        List<Row> nextTokenLayer,
        Map<String, String> nextTokenCopies,
        ExtraStates extraStates) {
    private static final Set<String> SUPPORTED = Set.of("glm4_moe_lite");

    /**
     * One Megatron tensor.
     *
     * @param from Hugging Face tensors of one shape, stacked along the rows
     * @param tiedFrom used instead of {@code from} when the embedding and the output layer are one
     * @param shape of each Hugging Face tensor: sums of products of configuration keys
     * @param naming only in checkpoints of one naming; in both if absent
     * @param paddedRows Megatron may hold more rows than the vocabulary
     * @param float32 float32 whatever the model's type is
     * @param stackedExperts one more axis in front: the expert
     */
    record Row(
            String key,
            List<String> from,
            @Nullable String tiedFrom,
            List<String> shape,
            @Nullable Naming naming,
            boolean paddedRows,
            boolean float32,
            boolean stackedExperts) {}

    /** Modules for which TransformerEngine keeps an extra state, over all of its versions. */
    record ExtraStates(
            List<String> model,
            List<String> everyLayer,
            List<String> denseLayer,
            List<String> expertLayer,
            List<String> eachExpert,
            List<String> nextTokenLayer) {}

    static ModelFamily of(String modelType) {
        if (!SUPPORTED.contains(modelType)) {
            throw new CheckpointException("config.json: model_type \"%s\" is not supported; supported: %s"
                    .formatted(modelType, String.join(", ", SUPPORTED)));
        }
        try (InputStream in = ModelFamily.class.getResourceAsStream(modelType + ".json")) {
            return Json.MAPPER.readValue(in, ModelFamily.class);
        } catch (IOException e) {
            throw new UncheckedIOException("the name map of " + modelType + " is part of this library", e);
        }
    }
}
