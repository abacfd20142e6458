package dev.sluice.text;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectReader;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.NullNode;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What a chat template makes a prompt of.
 *
 * @param messages a list of objects with a role and what else the template reads: content, tool_calls, reasoning_content
 * @param tools a list of tools as JSON schemas, or JSON null for none
 * @param addGenerationPrompt whether the text ends where the assistant begins to answer
 * @param arguments further variables of the template, such as enable_thinking
 */
public record Conversation(
        JsonNode messages, JsonNode tools, boolean addGenerationPrompt, Map<String, JsonNode> arguments) {
    public Conversation {
        arguments = Map.copyOf(arguments);
    }

    public static Builder builder() {
        return new Builder();
    }

    /** Puts a conversation together of texts, as events and prompt files carry it. */
    public static final class Builder {
        private static final ObjectReader JSON = JsonMapper.builder()
                .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
                .build()
                .readerFor(JsonNode.class);

        private final ArrayNode messages = JsonNodeFactory.instance.arrayNode();
        private final Map<String, JsonNode> arguments = new HashMap<>();
        private JsonNode tools = NullNode.getInstance();

        private Builder() {}

        /**
         * Adds a message.
         *
         * @param json the whole message where it is more than a role and a text; then these two are not looked at
         * @throws IllegalArgumentException if the JSON text is broken
         */
        public Builder message(String role, String content, @Nullable String json) {
            if (json == null) {
                messages.addObject().put("role", role).put("content", content);
            } else {
                messages.add(parsed(json, "a message"));
            }
            return this;
        }

        /** @throws IllegalArgumentException if the JSON text is broken */
        public Builder tools(@Nullable String json) {
            tools = json == null ? NullNode.getInstance() : parsed(json, "the tools");
            return this;
        }

        /** Further variables: JSON where a text reads as such ({@code false}, {@code 3}), the text itself otherwise. */
        public Builder arguments(Map<String, String> texts) {
            texts.forEach((name, text) -> arguments.put(name, argument(text)));
            return this;
        }

        /** The conversation as it stands, answers included. */
        public Conversation whole() {
            return new Conversation(messages, tools, false, arguments);
        }

        /** The conversation with the beginning of the answer that the model is to give. */
        public Conversation toBeAnswered() {
            return new Conversation(messages, tools, true, arguments);
        }

        private static JsonNode argument(String text) {
            try {
                JsonNode value = JSON.readTree(text);
                return value.isMissingNode() ? JsonNodeFactory.instance.textNode(text) : value;
            } catch (JsonProcessingException e) {
                return JsonNodeFactory.instance.textNode(text);
            }
        }

        private static JsonNode parsed(String json, String what) {
            try {
                return JSON.readTree(json);
            } catch (JsonProcessingException e) {
                throw new IllegalArgumentException(
                        what + " of the conversation is not JSON (" + e.getOriginalMessage() + ")", e);
            }
        }
    }
}
