package dev.sluice.cpu.engine;

import com.fasterxml.jackson.databind.JsonNode;
import dev.sluice.http.Json;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

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
        return hasTemplate(modelDirectory) ? ChatFormat::refuse : ChatFormat::lines;
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

    private static String refuse(JsonNode body) {
        throw new RequestException(
                "The model has a chat template, which this engine does not render; send the prompt to"
                        + " /v1/completions or /generate.");
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
