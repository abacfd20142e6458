package dev.sluice.domain.data;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import dev.sluice.events.EventJson;
import org.jspecify.annotations.Nullable;

/**
 * The tools of a row.
 *
 * @param json text of a list of tools; absent where there are none
 * @param problem what is wrong with them; absent where nothing is
 */
record RowTools(@Nullable String json, @Nullable String problem) {
    private static final String MEND = "holds neither a list of tools nor the JSON text of one";

    static RowTools of(JsonNode node) {
        if (node.isMissingNode() || node.isNull()) {
            return new RowTools(null, null);
        }
        try {
            JsonNode list = node.isTextual() ? EventJson.mapper().readTree(node.asText()) : node;
            return list.isArray() ? new RowTools(list.toString(), null) : new RowTools(null, MEND);
        } catch (JsonProcessingException e) {
            return new RowTools(null, MEND);
        }
    }
}
