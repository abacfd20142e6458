package dev.sluice.text;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.NullNode;
import java.util.Map;

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

    /** Messages that the assistant is to answer, without tools. */
    public static Conversation of(JsonNode messages) {
        return new Conversation(messages, NullNode.getInstance(), true, Map.of());
    }
}
