package dev.sluice.domain.model;

import com.fasterxml.jackson.databind.JsonNode;
import dev.sluice.domain.model.ModelFamily.Trait;
import dev.sluice.domain.model.ModelSpec.Attention;
import dev.sluice.domain.model.ModelSpec.Experts;
import dev.sluice.domain.model.ModelSpec.GroupedQueryAttention;
import dev.sluice.domain.model.ModelSpec.LatentAttention;
import dev.sluice.domain.model.ModelSpec.Reading;
import dev.sluice.domain.model.ModelSpec.Rotary;
import dev.sluice.domain.spelling.Spelling;
import java.util.ArrayList;
import java.util.List;

/** Reads a config.json of any family and goes on after a problem, so that all of them are told at once. */
final class SpecReader {
    /** Sizes beyond these are mistakes; the largest published models stay a factor of ten below. */
    static final int MOST_LAYERS = 1 << 10;

    static final int MOST_HIDDEN = 1 << 17;
    static final int MOST_FEED_FORWARD = 1 << 20;
    private static final int MOST_VOCABULARY = 1 << 24;
    private static final int MOST_CONTEXT = 1 << 25;
    private static final int MOST_MTP_LAYERS = 16;
    /** A thousand times the largest published model; bytes of it, and all states of Adam, still fit a long. */
    private static final long MOST_PARAMETERS = 1_000_000_000_000_000L;

    private final ModelFamily family;
    private final List<String> problems = new ArrayList<>();
    private final ConfigValues values;
    /** What concerns a whole checkpoint stands in the wrapper, or in the text model's part. */
    private final ConfigValues whole;

    private SpecReader(JsonNode document, ModelFamily family) {
        this.family = family;
        JsonNode text = document.path("text_config");
        JsonNode config = family.has(Trait.TEXT_CONFIG) && text.isObject() ? text : document;
        this.values = new ConfigValues(List.of(config), family.defaults(), problems);
        this.whole = new ConfigValues(List.of(document, config), family.defaults(), problems);
    }

    static Reading read(JsonNode document) {
        if (!document.isObject()) {
            return refused("config.json is %s; an object is needed".formatted(ConfigValues.shown(document)));
        }
        JsonNode type = document.path("model_type");
        String name = type.asText("");
        ModelFamily family = ModelFamily.named(name);
        if (family == null) {
            return refused("model_type is %s%s; known are %s"
                    .formatted(
                            ConfigValues.shown(type),
                            Spelling.didYouMean(name, ModelFamily.known()),
                            String.join(", ", ModelFamily.known())));
        }
        String needed = family.aliases().getOrDefault(name, "");
        String architecture = architecture(document, family);
        if (!needed.isEmpty() && !architecture.equals(needed)) {
            return refused("model_type is \"%s\" with another architecture; known under it is %s only"
                    .formatted(name, needed));
        }
        return new SpecReader(document, family).read(architecture);
    }

    private static Reading refused(String problem) {
        return new Reading(null, List.of(problem));
    }

    private static String architecture(JsonNode document, ModelFamily family) {
        JsonNode first = document.path("architectures").path(0);
        return first.isTextual() ? first.textValue() : family.architecture();
    }

    private Reading read(String architecture) {
        int layers = values.size(MOST_LAYERS, "num_hidden_layers");
        int hidden = values.size(MOST_HIDDEN, "hidden_size");
        AttentionReader attentions = new AttentionReader(values, family);
        Attention attention = attentions.attention(hidden);
        RopeReader rope = new RopeReader(values);
        FeedForwardReader feedForward = new FeedForwardReader(values, family);
        Experts experts = family.has(Trait.EXPERTS) ? feedForward.experts(layers) : null;
        if (values.flag("mlp_bias")) {
            values.problem("mlp_bias is true; feed-forward blocks with a bias are not known");
        }
        ModelSpec spec = new ModelSpec(
                family.modelType(),
                architecture,
                layers,
                hidden,
                values.size(MOST_VOCABULARY, "vocab_size"),
                values.size(MOST_CONTEXT, "max_position_embeddings"),
                values.positive("rms_norm_eps"),
                whole.flag("tie_word_embeddings"),
                family.has(Trait.POST_NORMS),
                rope.theta(),
                attention,
                family.has(Trait.LINEAR_ATTENTION) ? attentions.linear(layers) : null,
                family.has(Trait.INDEXER) ? attentions.indexer() : null,
                feedForward.denseSize(experts),
                experts,
                values.count(MOST_MTP_LAYERS, "num_nextn_predict_layers", "mtp_num_hidden_layers", "num_mtp_layers"),
                QuantizationReader.read(whole.find("quantization_config"), problems),
                new Rotary(rope.fraction(turned(attention)), family.has(Trait.PAIRED_ROTARY), rope.scaling()));
        if (problems.isEmpty()) {
            refuseTheUnbelievable(spec);
        }
        return problems.isEmpty()
                ? new Reading(spec, problems)
                : new Reading(null, problems.stream().distinct().toList());
    }

    /** The part of a head that RoPE may turn. */
    private static int turned(Attention attention) {
        return switch (attention) {
            case GroupedQueryAttention grouped -> grouped.headSize();
            case LatentAttention latent -> latent.rotaryHeadSize();
        };
    }

    private void refuseTheUnbelievable(ModelSpec spec) {
        Parameters parameters = new Parameters(spec);
        long all = parameters.total() + parameters.mtp();
        if (all > MOST_PARAMETERS) {
            values.problem("these sizes make %d parameters; at most %d are believed", all, MOST_PARAMETERS);
        }
    }
}
