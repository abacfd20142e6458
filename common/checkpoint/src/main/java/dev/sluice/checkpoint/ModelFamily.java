package dev.sluice.checkpoint;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * How one model family names its tensors on both sides; read from the resource named after its model_type. Names of layers are relative to the layer.
 *
 * @param include parts shared with other families; their rows come first
 * @param experts the configuration key that counts the routed experts; a dense family has none
 * @param layerKeys how its Megatron model keys the layers
 * @param defaults values of configuration keys that released files leave out
 * @param requires values that configuration keys must have, if present: otherwise the model has tensors that no row names
 * @param nextTokenName Hugging Face's name of a multi-token-prediction layer; {@code {layer}} counts from 0, {@code {next}} goes on after the others
 * @param nextTokenLayer what such a layer has besides a whole layer like the last one
 * @param nextTokenCopies tensors that Hugging Face repeats inside that layer and Megatron shares
 */
@JsonIgnoreProperties("about")
record ModelFamily(
        List<String> include,
        @Nullable String experts,
        @Nullable LayerKeys layerKeys,
        Map<String, Long> defaults,
        Map<String, JsonNode> requires,
        List<Row> model,
        List<Row> everyLayer,
        List<Row> denseLayer,
        List<Row> expertLayer,
        @Nullable String nextTokenName,
        List<Row> nextTokenLayer,
        Map<String, String> nextTokenCopies,
        @Nullable ExtraStates extraStates) {
    private static final SortedSet<String> SUPPORTED = new TreeSet<>(List.of(
            "deepseek_v3", "glm4_moe", "glm4_moe_lite", "kimi_k2", "llama", "mimo", "qwen2", "qwen3", "qwen3_moe"));
    private static final Map<String, ModelFamily> READ = new ConcurrentHashMap<>();

    ModelFamily {
        include = orEmpty(include);
        defaults = defaults == null ? Map.of() : Map.copyOf(defaults);
        requires = requires == null ? Map.of() : Map.copyOf(requires);
        model = orEmpty(model);
        everyLayer = orEmpty(everyLayer);
        denseLayer = orEmpty(denseLayer);
        expertLayer = orEmpty(expertLayer);
        nextTokenLayer = orEmpty(nextTokenLayer);
        nextTokenCopies = nextTokenCopies == null ? Map.of() : new LinkedHashMap<>(nextTokenCopies);
    }

    /** How the Hugging Face tensors of a row lie in the Megatron tensor. */
    enum Layout {
        /** One below another. */
        ROWS,
        /** As {@link #ROWS}, and one more axis in front: the expert. */
        EXPERTS,
        /** For each key-value group its query heads, its key head and its value head; {@code shape} is that of one head. */
        QUERY_GROUPS,
        /** Two halves of the columns, swapped. */
        SWAPPED_HALVES
    }

    /**
     * One Megatron tensor.
     *
     * @param from Hugging Face tensors
     * @param shape of each Hugging Face tensor: sums of products of configuration keys
     * @param when a configuration key that must be set and neither false nor 0, or with an exclamation mark the opposite
     * @param naming only in checkpoints of one naming; in both if absent
     * @param paddedRows Megatron may hold more rows than the vocabulary
     * @param float32 float32 whatever the model's type is
     */
    record Row(
            String key,
            List<String> from,
            List<String> shape,
            @Nullable String when,
            @Nullable Naming naming,
            boolean paddedRows,
            boolean float32,
            Layout layout) {
        Row {
            layout = layout == null ? Layout.ROWS : layout;
        }
    }

    /** Modules for which TransformerEngine keeps an extra state, over all of its versions. */
    record ExtraStates(
            List<String> model,
            List<String> everyLayer,
            List<String> denseLayer,
            List<String> expertLayer,
            List<String> eachExpert,
            List<String> nextTokenLayer) {
        private static final ExtraStates NONE = new ExtraStates(null, null, null, null, null, null);

        ExtraStates {
            model = orEmpty(model);
            everyLayer = orEmpty(everyLayer);
            denseLayer = orEmpty(denseLayer);
            expertLayer = orEmpty(expertLayer);
            eachExpert = orEmpty(eachExpert);
            nextTokenLayer = orEmpty(nextTokenLayer);
        }
    }

    @Override
    public ExtraStates extraStates() {
        return extraStates == null ? ExtraStates.NONE : extraStates;
    }

    /** The model_types whose names are known. */
    static SortedSet<String> supported() {
        return SUPPORTED;
    }

    static ModelFamily of(String modelType) {
        if (!SUPPORTED.contains(modelType)) {
            throw new CheckpointException("config.json: model_type \"%s\" is not supported; supported: %s"
                    .formatted(modelType, String.join(", ", SUPPORTED)));
        }
        return READ.computeIfAbsent(modelType, name -> read(name + ".json").withParts());
    }

    boolean biasesRouter() {
        return expertLayer.stream().anyMatch(row -> row.key().equals("mlp.router.expert_bias"));
    }

    /** Whether the row exists in models of this configuration. */
    boolean has(String key, ModelConfig config) {
        return everyLayer.stream().anyMatch(row -> row.key().equals(key) && config.meets(row.when()));
    }

    private ModelFamily withParts() {
        List<ModelFamily> all = new ArrayList<>();
        include.forEach(part -> all.add(read("parts/" + part + ".json")));
        all.add(this);
        Map<String, String> copies = new LinkedHashMap<>();
        all.forEach(part -> copies.putAll(part.nextTokenCopies));
        String name = all.stream()
                .map(ModelFamily::nextTokenName)
                .reduce(null, (before, after) -> after == null ? before : after);
        ExtraStates extra = new ExtraStates(
                joined(all, part -> part.extraStates().model()),
                joined(all, part -> part.extraStates().everyLayer()),
                joined(all, part -> part.extraStates().denseLayer()),
                joined(all, part -> part.extraStates().expertLayer()),
                joined(all, part -> part.extraStates().eachExpert()),
                joined(all, part -> part.extraStates().nextTokenLayer()));
        return new ModelFamily(
                List.of(),
                experts,
                layerKeys,
                defaults,
                requires,
                joined(all, ModelFamily::model),
                joined(all, ModelFamily::everyLayer),
                joined(all, ModelFamily::denseLayer),
                joined(all, ModelFamily::expertLayer),
                name,
                joined(all, ModelFamily::nextTokenLayer),
                copies,
                extra);
    }

    private static <T> List<T> joined(List<ModelFamily> parts, Function<ModelFamily, List<T>> list) {
        return parts.stream().flatMap(part -> list.apply(part).stream()).toList();
    }

    private static ModelFamily read(String resource) {
        try (InputStream in = ModelFamily.class.getResourceAsStream(resource)) {
            return Json.MAPPER.readValue(in, ModelFamily.class);
        } catch (IOException e) {
            throw new UncheckedIOException("the name map " + resource + " is part of this library", e);
        }
    }

    private static <T> List<T> orEmpty(@Nullable List<T> list) {
        return list == null ? List.of() : List.copyOf(list);
    }
}
