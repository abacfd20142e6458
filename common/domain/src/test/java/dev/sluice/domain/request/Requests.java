package dev.sluice.domain.request;

import com.fasterxml.jackson.core.JsonPointer;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.sluice.domain.request.RequestReader.Reading;
import dev.sluice.events.EventJson;
import dev.sluice.events.Problem;
import dev.sluice.events.TrainingRequest;
import java.util.List;

/** Request documents for tests. */
public final class Requests {
    private Requests() {}

    /** Nothing but what has no default. */
    public static ObjectNode least() {
        return tree("""
                {"backend": "cpu", "model": {"path": "/m"}, "data": {"prompts": "/p.jsonl"}, "training": {"steps": 10}}
                """);
    }

    /** The least request with one more value, given as JSON at a path such as {@code rollout.topK}. */
    public static ObjectNode with(String path, String json) {
        ObjectNode request = least();
        set(request, path, json);
        return request;
    }

    static void set(ObjectNode request, String path, String json) {
        int dot = path.lastIndexOf('.');
        ObjectNode parent = dot < 0
                ? request
                : request.withObject(
                        JsonPointer.compile("/" + path.substring(0, dot).replace('.', '/')));
        parent.set(path.substring(dot + 1), node(json));
    }

    public static TrainingRequest complete(JsonNode document) {
        return switch (RequestReader.read(document)) {
            case Reading.Complete complete -> complete.request();
            case Reading.Refused refused ->
                throw new AssertionError(refused.problems().toString());
        };
    }

    static List<Problem> problems(JsonNode document) {
        return switch (RequestReader.read(document)) {
            case Reading.Complete complete -> List.of();
            case Reading.Refused refused -> refused.problems();
        };
    }

    static ObjectNode tree(String json) {
        return (ObjectNode) node(json);
    }

    private static JsonNode node(String json) {
        try {
            return EventJson.mapper().readTree(json);
        } catch (JsonProcessingException e) {
            throw new AssertionError(e);
        }
    }
}
