package dev.sluice.domain.data;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Reads the prompt of a row: a text, or messages as chat templates take them. */
final class RowPrompt {
    private static final int MAX_MESSAGES = 1000;

    private RowPrompt() {}

    /** Null where it is neither. */
    static @Nullable Prompt of(JsonNode node) {
        if (node.isTextual()) {
            return node.asText().isBlank() ? null : new Prompt.Text(node.asText());
        }
        if (!node.isArray() || node.isEmpty() || node.size() > MAX_MESSAGES) {
            return null;
        }
        List<Prompt.Message> messages = new ArrayList<>();
        for (JsonNode message : node) {
            JsonNode content = message.path("content");
            boolean callsTools = message.path("tool_calls").isArray();
            if (!message.path("role").isTextual() || !(content.isTextual() || content.isArray() || callsTools)) {
                return null;
            }
            boolean plain = content.isTextual() && message.size() == 2;
            messages.add(new Prompt.Message(
                    message.get("role").asText(),
                    content.isTextual() ? content.asText() : "",
                    plain ? null : message.toString()));
        }
        return new Prompt.Messages(messages);
    }
}
