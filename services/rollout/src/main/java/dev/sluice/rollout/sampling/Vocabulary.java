package dev.sluice.rollout.sampling;

import com.fasterxml.jackson.databind.JsonNode;
import dev.sluice.http.Json;
import dev.sluice.text.Tokenizer;
import java.io.IOException;
import java.nio.file.Path;

/** How many tokens a model knows: embeddings are often padded beyond what the tokenizer names, and a model can say those too. */
final class Vocabulary {
    private Vocabulary() {}

    /** What config.json says, or the tokenizer where it says nothing. */
    static int size(Tokenizer tokenizer, Path modelDirectory) {
        int named = tokenizer.vocabularySize();
        try {
            JsonNode config =
                    Json.MAPPER.readTree(modelDirectory.resolve("config.json").toFile());
            JsonNode whole = config.path("vocab_size");
            return Math.max(named, (whole.isInt() ? whole : config.at("/text_config/vocab_size")).asInt());
        } catch (IOException e) {
            return named;
        }
    }
}
