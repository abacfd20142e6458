package dev.sluice.trainer;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.sluice.domain.request.RequestReader;
import dev.sluice.domain.request.RequestReader.Reading;
import dev.sluice.events.EventJson;
import dev.sluice.events.TrainingRequest;
import java.util.Map;

/** Requests as clients write them: what a test does not name has its default. */
public final class Requests {
    private static final String LEAST = """
            {"backend": "cpu", "model": {"path": "/m"}, "data": {"prompts": "p.jsonl"}, "training": {"steps": 1}}
            """;

    private Requests() {}

    /** @param values by path, such as {@code rollout.topK} */
    public static TrainingRequest with(Map<String, Object> values) {
        try {
            ObjectNode document = (ObjectNode) EventJson.mapper().readTree(LEAST);
            values.forEach((path, value) -> {
                int dot = path.indexOf('.');
                ObjectNode parent = dot < 0 ? document : document.withObjectProperty(path.substring(0, dot));
                parent.set(path.substring(dot + 1), EventJson.mapper().valueToTree(value));
            });
            return switch (RequestReader.read(document)) {
                case Reading.Complete complete -> complete.request();
                case Reading.Refused refused ->
                    throw new AssertionError(refused.problems().toString());
            };
        } catch (JsonProcessingException e) {
            throw new AssertionError(e);
        }
    }
}
