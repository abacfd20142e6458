package dev.sluice.cpu.engine;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.NullNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.sluice.http.Json;
import dev.sluice.text.ChatTemplate;
import dev.sluice.text.Conversation;
import dev.sluice.text.jinja.TemplateException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;

/** Turns the messages of a chat into the text that the model continues. */
@FunctionalInterface
interface ChatFormat {
    /** Larger ones are no configuration. */
    long MAX_CONFIG_BYTES = 16 << 20;

    /**
     * The prompt of a chat.
     *
     * @param body of {@code /v1/chat/completions}; its messages are objects with a role
     * @throws RequestException if the messages cannot be put into words
     */
    String prompt(JsonNode body);

    /** How a model's chats are written: by its own template, or, where it has none, with a line for each message. */
    static ChatFormat of(Path modelDirectory) throws IOException {
        if (!hasTemplate(modelDirectory)) {
            return ChatFormat::lines;
        }
        try {
            ChatTemplate template = ChatTemplate.open(modelDirectory);
            return body -> rendered(template, body);
        } catch (IOException | TemplateException e) {
            // The other calls need no template: the engine serves them.
            return body -> {
                throw new RequestException("The model's chat template cannot be used: " + e.getMessage());
            };
        }
    }

    private static boolean hasTemplate(Path directory) throws IOException {
        if (Files.exists(directory.resolve("chat_template.jinja"))) {
            return true;
        }
        Path config = directory.resolve("tokenizer_config.json");
        if (!Files.exists(config) || Files.size(config) > MAX_CONFIG_BYTES) {
            return false;
        }
        return Json.MAPPER.readTree(config.toFile()).hasNonNull("chat_template");
    }

    private static String rendered(ChatTemplate template, JsonNode body) {
        ArrayNode messages = JsonNodeFactory.instance.arrayNode();
        for (JsonNode message : body.path("messages")) {
            ObjectNode copy = message.deepCopy();
            if (message.path("content").isArray()) {
                copy.put("content", content(message));
            }
            messages.add(copy);
        }
        Map<String, JsonNode> arguments = new HashMap<>();
        body.path("chat_template_kwargs")
                .properties()
                .forEach(entry -> arguments.put(entry.getKey(), entry.getValue()));
        JsonNode tools = body.path("tools");
        try {
            return template.render(new Conversation(
                    messages, tools.isArray() && !tools.isEmpty() ? tools : NullNode.getInstance(), true, arguments));
        } catch (TemplateException | IllegalArgumentException e) {
            throw new RequestException("The model's chat template refuses the messages: " + e.getMessage());
        }
    }

    private static String lines(JsonNode body) {
        if (body.path("tools").isArray() && !body.path("tools").isEmpty()) {
            throw new RequestException(
                    "The model has no chat template, so it cannot be told of tools; leave them out.");
        }
        StringBuilder prompt = new StringBuilder();
        for (JsonNode message : body.path("messages")) {
            prompt.append(message.path("role").asText())
                    .append(": ")
                    .append(content(message))
                    .append('\n');
        }
        return prompt.append("assistant:").toString();
    }

    /** A message's text: a string, or parts that are all text. */
    static String content(JsonNode message) {
        JsonNode content = message.path("content");
        if (!content.isArray()) {
            return content.isNull() ? "" : content.asText();
        }
        StringBuilder text = new StringBuilder();
        for (JsonNode part : content) {
            if (!part.path("type").asText().equals("text")) {
                throw new RequestException(
                        "messages: this engine reads text alone, got a part of type " + part.path("type"));
            }
            text.append(part.path("text").asText());
        }
        return text.toString();
    }
}
