package dev.sluice.domain.model;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.sluice.domain.model.ModelSpec.QueryKeyNorm;
import dev.sluice.events.EventJson;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * What tells one family of models from the others; all of them stand in {@code families.json}.
 *
 * @param modelType config.json's {@code model_type}
 * @param aliases further {@code model_type}s, each with the architecture it must come with, empty for any
 * @param architecture what a config.json without {@code architectures} means
 * @param defaults values of config.json's keys where they are absent, as transformers' configuration class has them
 */
record ModelFamily(
        String modelType,
        Map<String, String> aliases,
        String architecture,
        QueryKeyNorm norm,
        Set<Trait> traits,
        JsonNode defaults) {
    private static final String RESOURCE = "families.json";
    private static final Map<String, ModelFamily> BY_TYPE = load();

    /** What no key of config.json says, since the family's code has it fixed. */
    enum Trait {
        /** Multi-head latent attention instead of grouped queries. */
        LATENT,
        INDEXER,
        LINEAR_ATTENTION,
        /** {@code attention_bias} covers the output projection too. */
        OUTPUT_BIAS,
        SINKS,
        POST_NORMS,
        /** RoPE turns pairs of neighbouring dimensions. */
        PAIRED_ROTARY,
        EXPERTS,
        EXPERT_BIASES,
        SHARED_GATE,
        /** {@code intermediate_size} is the width of an expert. */
        PLAIN_EXPERT_SIZE,
        /** The text model's keys lie in {@code text_config}, beside a vision model that is not trained. */
        TEXT_CONFIG
    }

    private record Table(ObjectNode defaults, List<ModelFamily> families) {}

    ModelFamily {
        aliases = Map.copyOf(aliases);
        traits = Set.copyOf(traits);
    }

    private static Map<String, ModelFamily> load() {
        try (InputStream file = ModelFamily.class.getResourceAsStream(RESOURCE)) {
            Table table = EventJson.mapper().readValue(file, Table.class);
            Map<String, ModelFamily> byType = new HashMap<>();
            for (ModelFamily family : table.families()) {
                ModelFamily whole = family.over(table.defaults());
                byType.put(whole.modelType(), whole);
                whole.aliases().keySet().forEach(alias -> byType.put(alias, whole));
            }
            return new TreeMap<>(byType);
        } catch (IOException e) {
            throw new UncheckedIOException("the packaged " + RESOURCE + " cannot be read", e);
        }
    }

    private ModelFamily over(ObjectNode common) {
        ObjectNode merged = common.deepCopy();
        defaults.properties().forEach(entry -> merged.set(entry.getKey(), entry.getValue()));
        return new ModelFamily(modelType, aliases, architecture, norm, traits, merged);
    }

    /** The family of a {@code model_type}; null where none is known. */
    static @Nullable ModelFamily named(String modelType) {
        return BY_TYPE.get(modelType);
    }

    /** Every {@code model_type} that is known, in alphabetical order. */
    static Set<String> known() {
        return BY_TYPE.keySet();
    }

    boolean has(Trait trait) {
        return traits.contains(trait);
    }
}
