package dev.sluice.planner;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import dev.sluice.events.EventJson;
import java.io.IOException;
import org.jspecify.annotations.Nullable;

/**
 * Text that a client sent, as a tree; the same key twice is an error, since two readers could see two requests.
 *
 * @param root absent when there is an error
 * @param error what is wrong and where
 */
record RequestDocument(@Nullable JsonNode root, @Nullable String error) {
    private static final ObjectMapper JSON = EventJson.mapper()
            .copy()
            .enable(JsonParser.Feature.STRICT_DUPLICATE_DETECTION)
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS);
    private static final ObjectMapper YAML = YAMLMapper.builder()
            .enable(JsonParser.Feature.STRICT_DUPLICATE_DETECTION)
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .build();

    static RequestDocument ofRecord(byte[] value) {
        return read(JSON, value);
    }

    /** A request body: YAML, of which JSON is a part. */
    static RequestDocument ofBody(byte[] body) {
        return read(YAML, body);
    }

    private static RequestDocument read(ObjectMapper mapper, byte[] text) {
        if (text.length > EventJson.MAX_BYTES) {
            return new RequestDocument(
                    null, "%d bytes; at most %d are read".formatted(text.length, EventJson.MAX_BYTES));
        }
        try {
            JsonNode root = mapper.readTree(text);
            return root.isObject()
                    ? new RequestDocument(root, null)
                    : new RequestDocument(null, "a document of keys was expected");
        } catch (JsonProcessingException e) {
            return new RequestDocument(
                    null,
                    "%s (line %d, column %d)"
                            .formatted(
                                    e.getOriginalMessage(),
                                    e.getLocation() == null
                                            ? 0
                                            : e.getLocation().getLineNr(),
                                    e.getLocation() == null
                                            ? 0
                                            : e.getLocation().getColumnNr()));
        } catch (IOException e) {
            return new RequestDocument(null, e.getMessage());
        }
    }
}
