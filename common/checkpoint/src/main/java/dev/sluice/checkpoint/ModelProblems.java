package dev.sluice.checkpoint;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.List;
import java.util.Map;

/** Compares a checkpoint's tensors with those that its configuration calls for. */
final class ModelProblems {
    private ModelProblems() {}

    static List<String> of(JsonNode config, Map<String, TensorEntry> tensors) {
        String family = config.path("model_type").asText();
        if (!family.equals("glm4_moe_lite")) {
            return List.of(
                    "config.json: model_type \"%s\" is not supported; supported: glm4_moe_lite".formatted(family));
        }
        return List.of();
    }
}
