package dev.sluice.domain.request;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectWriter;
import com.fasterxml.jackson.databind.SerializationFeature;
import dev.sluice.events.EventJson;
import dev.sluice.events.TrainingRequest;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Map;
import java.util.TreeMap;

/** One spelling of a request: every default filled in, keys sorted, no white space. */
public final class CanonicalRequest {
    private static final ObjectWriter WRITER =
            EventJson.mapper().writer().with(SerializationFeature.ORDER_MAP_ENTRIES_BY_KEYS);

    private CanonicalRequest() {}

    /** SHA-256 of the canonical spelling, 64 hexadecimal digits. */
    public static String sha256(TrainingRequest request) {
        try {
            JsonNode tree = EventJson.mapper().valueToTree(request);
            byte[] spelling = WRITER.writeValueAsBytes(sorted(tree));
            return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(spelling));
        } catch (JsonProcessingException | NoSuchAlgorithmException e) {
            throw new IllegalStateException("a request can always be written and hashed", e);
        }
    }

    private static Object sorted(JsonNode node) {
        if (node.isObject()) {
            Map<String, Object> keys = new TreeMap<>();
            node.properties().forEach(entry -> keys.put(entry.getKey(), sorted(entry.getValue())));
            return keys;
        }
        return node.isArray() ? node.valueStream().map(CanonicalRequest::sorted).toList() : node;
    }
}
