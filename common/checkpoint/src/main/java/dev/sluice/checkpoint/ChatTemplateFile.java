package dev.sluice.checkpoint;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Where a model directory keeps its chat template. */
public final class ChatTemplateFile {
    private static final long MAX_CONFIG_BYTES = 16 << 20;
    private static final JsonFactory JSON = new JsonFactory();

    private ChatTemplateFile() {}

    /** Whether there is a {@code chat_template.jinja}, or a {@code chat_template} in {@code tokenizer_config.json}. */
    public static boolean isIn(Path modelDirectory) {
        Path config = modelDirectory.resolve("tokenizer_config.json");
        return Files.isRegularFile(modelDirectory.resolve("chat_template.jinja"))
                || (Files.isRegularFile(config) && isConfigured(config));
    }

    private static boolean isConfigured(Path config) {
        try {
            if (Files.size(config) > MAX_CONFIG_BYTES) {
                return false;
            }
            try (JsonParser json = JSON.createParser(config.toFile())) {
                json.nextToken();
                while (json.nextToken() == JsonToken.FIELD_NAME) {
                    boolean template = json.currentName().equals("chat_template");
                    JsonToken value = json.nextToken();
                    if (template) {
                        return value == JsonToken.VALUE_STRING || value == JsonToken.START_ARRAY;
                    }
                    json.skipChildren();
                }
                return false;
            }
        } catch (IOException e) {
            // Whoever opens the tokenizer says what is wrong with the file.
            return false;
        }
    }
}
