package dev.sluice.domain.slime;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.sluice.domain.slime.Finding.Kind;
import dev.sluice.events.EventJson;

/** What goes into a prompt besides its row, and what ends a response: tools, variables of the chat template, stops. */
record PromptFlags(Draft draft) {
    private static final String ARGUMENTS = "--apply-chat-template-kwargs";
    private static final String TOOLS = "--tool-key";
    private static final String STOP = "--rollout-stop";
    private static final String STOP_IDS = "--rollout-stop-token-ids";

    void read() {
        draft.text(TOOLS).ifPresent(key -> draft.put("data.toolKey", key));
        draft.text(ARGUMENTS).ifPresent(this::arguments);
        ArrayNode stop = JsonNodeFactory.instance.arrayNode();
        draft.texts(STOP).forEach(stop::add);
        if (!stop.isEmpty()) {
            draft.put("rollout.stop", stop);
        }
        stopIds();
    }

    private void arguments(String text) {
        try {
            if (EventJson.mapper().readTree(text) instanceof ObjectNode given) {
                ObjectNode arguments = JsonNodeFactory.instance.objectNode();
                given.properties().forEach(entry -> arguments.put(entry.getKey(), written(entry.getValue())));
                if (!arguments.isEmpty()) {
                    draft.put("data.chatTemplateArguments", arguments);
                }
                return;
            }
        } catch (JsonProcessingException e) {
            // Said below, with the flag and its place.
        }
        draft.findings()
                .error(
                        Kind.VALUE,
                        draft.place(ARGUMENTS),
                        ARGUMENTS,
                        FlagReader.shortened(text) + " is no JSON object",
                        "give one, such as '{\"enable_thinking\": false}'");
    }

    /** A text that would read as JSON keeps its quotes: the request takes what reads as JSON for JSON. */
    private static String written(JsonNode value) {
        if (!value.isTextual()) {
            return value.toString();
        }
        try {
            JsonNode read = EventJson.mapper().readTree(value.asText());
            return read.isMissingNode() ? value.asText() : value.toString();
        } catch (JsonProcessingException e) {
            return value.asText();
        }
    }

    private void stopIds() {
        ArrayNode ids = JsonNodeFactory.instance.arrayNode();
        for (String text : draft.texts(STOP_IDS)) {
            if (!text.matches("[0-9]{1,9}")) {
                draft.findings()
                        .error(
                                Kind.VALUE,
                                draft.place(STOP_IDS),
                                STOP_IDS,
                                "\"%s\" is no token id".formatted(FlagReader.shortened(text)),
                                "give whole numbers");
                return;
            }
            ids.add(Integer.parseInt(text));
        }
        if (!ids.isEmpty()) {
            draft.put("rollout.stopTokenIds", ids);
        }
    }
}
