package dev.sluice.text;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.TreeSet;

/** Reads which tokens end a sequence: {@code generation_config.json} decides, {@code config.json} is asked otherwise. */
final class EndTokens {
    private static final int MAXIMUM_CONFIG_BYTES = 4 << 20;
    private static final ObjectMapper JSON = new ObjectMapper();

    private EndTokens() {}

    static List<Integer> of(Path modelDir) throws IOException {
        for (String name : List.of("generation_config.json", "config.json")) {
            if (ModelFile.exists(modelDir, name)) {
                List<Integer> ids = read(ModelFile.read(modelDir, name, MAXIMUM_CONFIG_BYTES, "copy it there."));
                if (!ids.isEmpty()) {
                    return ids;
                }
            }
        }
        return List.of();
    }

    private static List<Integer> read(ModelFile file) throws IOException {
        JsonNode config;
        try {
            config = JSON.readTree(file.bytes());
        } catch (JsonProcessingException e) {
            throw file.malformed("is not valid JSON (" + e.getOriginalMessage() + ")", e);
        }
        JsonNode given = config.path("eos_token_id");
        // Multimodal configurations keep the language model's values one level down.
        JsonNode ids = given.isMissingNode() ? config.path("text_config").path("eos_token_id") : given;
        TreeSet<Integer> found = new TreeSet<>();
        for (JsonNode id : ids.isArray() ? ids : List.of(ids)) {
            if (id.isMissingNode() || id.isNull()) {
                continue;
            }
            if (!id.canConvertToInt() || !id.isIntegralNumber() || id.intValue() < 0) {
                throw file.malformed("has the eos_token_id " + id + ", which is no token id", new IOException("" + id));
            }
            found.add(id.intValue());
        }
        return List.copyOf(found);
    }
}
