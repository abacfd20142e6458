package dev.sluice.cpu.http;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import dev.sluice.http.Json;
import java.io.IOException;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A request as a handler sees it.
 *
 * @param method upper case
 * @param variables values of the path's variables by name, decoded
 * @param query values of the query's parameters by name, decoded; of a repeated one the last
 * @param contentType as the client sent it; null where it sent none
 * @param body at most the server's bound; not copied
 */
@SuppressWarnings("ArrayRecordComponent")
public record Call(
        String method,
        String path,
        Map<String, String> variables,
        Map<String, String> query,
        @Nullable String contentType,
        byte[] body) {

    /** A path variable; asking for one that the route lacks is a mistake of ours. */
    public String variable(String name) {
        String value = variables.get(name);
        if (value == null) {
            throw new IllegalStateException("the route of " + path + " has no variable " + name);
        }
        return value;
    }

    /** A query parameter, or null where it was not given. */
    public @Nullable String parameter(String name) {
        return query.get(name);
    }

    /**
     * The body as a JSON object; an empty body is an empty object.
     *
     * @throws BodyException if it is no JSON object
     */
    public JsonNode object() {
        if (body.length == 0) {
            return Json.MAPPER.createObjectNode();
        }
        JsonSize.require(body);
        JsonNode tree;
        try {
            tree = Json.MAPPER.readTree(body);
        } catch (JsonProcessingException e) {
            throw new BodyException("the body is not JSON: " + e.getOriginalMessage());
        } catch (IOException e) {
            throw new BodyException("the body is not JSON: " + e.getMessage());
        }
        if (!tree.isObject()) {
            throw new BodyException("the body must be a JSON object");
        }
        return tree;
    }

    /**
     * The body as a value of this type; an empty body counts as {@code {}}.
     *
     * @throws BodyException if it does not fit
     */
    public <T> T read(Class<T> type) {
        try {
            return Json.MAPPER.treeToValue(object(), type);
        } catch (JsonProcessingException e) {
            throw new BodyException(e.getOriginalMessage());
        } catch (IllegalArgumentException e) {
            throw new BodyException(String.valueOf(e.getMessage()));
        }
    }
}
