package dev.sluice.domain.model;

import com.fasterxml.jackson.databind.JsonNode;
import dev.sluice.domain.model.ModelSpec.RopeScaling;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Reads rotary positions: transformers 5 gathers everything in {@code rope_parameters}; before, the base lay at the top
 * and {@code rope_scaling} held the rest.
 */
final class RopeReader {
    private static final int MOST_POSITIONS = 1 << 25;

    private final ConfigValues values;
    private final ConfigValues rope;

    RopeReader(ConfigValues values) {
        this.values = values;
        JsonNode nested = values.find("rope_parameters");
        this.rope = new ConfigValues(
                nested.isObject() ? List.of(nested, values.config().getFirst()) : values.config(),
                values.defaults(),
                values.problems());
        if (values.has("rope_parameters") && !nested.isObject()) {
            values.problem("rope_parameters is %s; an object is needed", ConfigValues.shown(nested));
        }
    }

    double theta() {
        return rope.positive("rope_theta");
    }

    /** The part of a head that is turned; MiniMax-M2 counts its dimensions instead. */
    double fraction(int headSize) {
        if (rope.has("rotary_dim") && !rope.has("partial_rotary_factor")) {
            int turned = rope.size(MOST_POSITIONS, "rotary_dim");
            if (headSize != ConfigValues.UNKNOWN && turned > headSize) {
                values.problem("rotary_dim is %d but head_dim only %d", turned, headSize);
            }
            return headSize == ConfigValues.UNKNOWN ? 1.0 : (double) turned / headSize;
        }
        double fraction = rope.positive("partial_rotary_factor");
        if (fraction > 1) {
            values.problem("partial_rotary_factor is %s; at most 1 is possible", fraction);
        }
        return fraction;
    }

    /** How positions are stretched; null where they are not. */
    @Nullable
    RopeScaling scaling() {
        JsonNode old = values.find("rope_scaling");
        if (values.has("rope_scaling") && !old.isObject()) {
            values.problem("rope_scaling is %s; an object is needed", ConfigValues.shown(old));
            return null;
        }
        JsonNode node = old.isObject() ? old : values.find("rope_parameters");
        ConfigValues scaling = new ConfigValues(List.of(node), values.defaults(), values.problems());
        String key = scaling.has("rope_type") ? "rope_type" : "type";
        if (!scaling.has(key)) {
            return null;
        }
        String type = scaling.text(key);
        if (type.equals("default")) {
            return null;
        }
        return new RopeScaling(
                type,
                scaling.has("factor") ? scaling.positive("factor") : 1,
                scaling.has("original_max_position_embeddings")
                        ? scaling.size(MOST_POSITIONS, "original_max_position_embeddings")
                        : 0,
                scaling.has("mscale") ? scaling.notNegative("mscale") : 0,
                scaling.has("mscale_all_dim") ? scaling.notNegative("mscale_all_dim") : 0);
    }
}
