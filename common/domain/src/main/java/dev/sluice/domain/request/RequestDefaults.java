package dev.sluice.domain.request;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.sluice.events.EventJson;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;

/** Fills in what a request leaves out; the values stand in {@code request-defaults.json}. */
final class RequestDefaults {
    private static final String RESOURCE = "request-defaults.json";
    private static final JsonNode DEFAULTS = load();

    private RequestDefaults() {}

    private static JsonNode load() {
        try (InputStream file = RequestDefaults.class.getResourceAsStream(RESOURCE)) {
            return EventJson.mapper().readTree(file);
        } catch (IOException e) {
            throw new UncheckedIOException("the packaged " + RESOURCE + " cannot be read", e);
        }
    }

    /** The request with every default; objects are merged key by key, lists are the client's or the default's. */
    static ObjectNode fill(JsonNode request) {
        ObjectNode filled = DEFAULTS.get("request").deepCopy();
        merge(filled, request);
        if (filled.get("evaluation") instanceof ArrayNode sets) {
            fillEvaluation(filled, sets);
        }
        if (filled.path("reward").path("mixture") instanceof ArrayNode parts) {
            fillMixture((ObjectNode) filled.get("reward"), parts, request.path("reward"));
        }
        if (filled.get("guards") instanceof ArrayNode guards) {
            fillEach(guards, "guard");
        }
        fillOptional(filled, "turns");
        fillOptional(filled, "hooks");
        return filled;
    }

    /** A part of the rollout that is absent unless it is given. */
    private static void fillOptional(ObjectNode filled, String part) {
        if (filled.path("rollout").path(part) instanceof ObjectNode given) {
            ObjectNode whole = DEFAULTS.get(part).deepCopy();
            merge(whole, given);
            ((ObjectNode) filled.get("rollout")).set(part, whole);
        }
    }

    private static void fillMixture(ObjectNode reward, ArrayNode parts, JsonNode given) {
        if (!parts.isEmpty() && given.path("type").isMissingNode()) {
            reward.put("type", RewardRules.MIXTURE);
        }
        fillEach(parts, "mixture");
    }

    private static void fillEach(ArrayNode list, String defaults) {
        for (int i = 0; i < list.size(); i++) {
            if (list.get(i).isObject()) {
                ObjectNode element = DEFAULTS.get(defaults).deepCopy();
                merge(element, list.get(i));
                list.set(i, element);
            }
        }
    }

    private static void fillEvaluation(ObjectNode request, ArrayNode sets) {
        for (int i = 0; i < sets.size(); i++) {
            if (sets.get(i).isObject()) {
                ObjectNode set = DEFAULTS.get("evaluation").deepCopy();
                // What a held-out set does not say is measured as it is trained.
                set.set("maxResponseTokens", request.at("/rollout/maxResponseTokens"));
                set.set("temperature", request.at("/rollout/temperature"));
                merge(set, sets.get(i));
                sets.set(i, set);
            }
        }
    }

    private static void merge(ObjectNode target, JsonNode source) {
        source.properties().forEach(entry -> {
            JsonNode value = entry.getValue();
            if (value.isNull()) {
                return; // a key without a value, as YAML writes it: the default stands
            }
            if (value.isObject() && target.get(entry.getKey()) instanceof ObjectNode inner) {
                merge(inner, value);
            } else {
                target.set(entry.getKey(), value.deepCopy());
            }
        });
    }
}
