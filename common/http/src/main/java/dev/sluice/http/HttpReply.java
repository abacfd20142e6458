package dev.sluice.http;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.charset.StandardCharsets;

/**
 * A complete reply, whatever its status.
 *
 * @param status the HTTP status
 * @param body the bytes as they came, within the endpoint's limit; not copied, treat as read-only
 */
@SuppressWarnings("ArrayRecordComponent")
public record HttpReply(int status, byte[] body) {

    private static final int EXCERPT_CHARACTERS = 400;

    public boolean isSuccess() {
        return status >= 200 && status < 300;
    }

    /** The body as UTF-8. */
    public String text() {
        return new String(body, StandardCharsets.UTF_8);
    }

    /**
     * The body as JSON.
     *
     * @throws IOException if it is not JSON or does not fit the type
     */
    public <T> T json(Class<T> type) throws IOException {
        T value = Json.MAPPER.readValue(body, type);
        if (value == null) {
            throw new IOException("the reply is null, expected " + type.getSimpleName());
        }
        return value;
    }

    /**
     * The body as a JSON tree.
     *
     * @throws IOException if it is not JSON
     */
    public JsonNode tree() throws IOException {
        return Json.MAPPER.readTree(body);
    }

    /** The first characters of the body, on one line, for a message. */
    public String excerpt() {
        int bytes = Math.min(body.length, 4 * EXCERPT_CHARACTERS);
        String start = new String(body, 0, bytes, StandardCharsets.UTF_8)
                .replaceAll("\\s+", " ")
                .strip();
        if (start.isEmpty()) {
            return "(empty reply)";
        }
        return start.length() <= EXCERPT_CHARACTERS ? start : start.substring(0, EXCERPT_CHARACTERS) + "...";
    }
}
