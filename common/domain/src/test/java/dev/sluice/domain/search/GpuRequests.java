package dev.sluice.domain.search;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.sluice.domain.request.Facts;
import dev.sluice.domain.request.Facts.Purpose;
import dev.sluice.domain.request.RequestReader;
import dev.sluice.domain.request.RequestReader.Reading;
import dev.sluice.events.EventJson;
import dev.sluice.events.TrainingRequest;
import java.util.Map;

/** Requests for GPUs: the reference recipe, and variants of it. */
public final class GpuRequests {
    private GpuRequests() {}

    /** GLM-4.7-Flash on one node of 8 H100, as slime's recipe of February 2026 has it. */
    public static ObjectNode glm47Flash() {
        return document("""
                {
                  "name": "glm47-flash", "backend": "gpu", "model": {"path": "/data/GLM-4.7-Flash"},
                  "cluster": {"placement": "colocated", "gpu": "H100-80", "gpusPerNode": 8, "hostMemoryGiB": 2048},
                  "data": {"prompts": "/data/dapo-math-17k.jsonl", "applyChatTemplate": true},
                  "reward": {"type": "deepscaler"},
                  "rollout": {"groupsPerStep": 32, "samplesPerPrompt": 8, "maxResponseTokens": 8192,
                              "speculation": {"algorithm": "eagle", "steps": 2}},
                  "training": {"steps": 3000}
                }
                """);
    }

    /** The reference recipe with a value, in JSON, at a dotted path. */
    public static ObjectNode with(String path, String value) {
        return set(glm47Flash(), path, value);
    }

    /** Puts a value, in JSON, at a dotted path. */
    public static ObjectNode set(ObjectNode request, String path, String value) {
        ObjectNode group = request;
        String[] keys = path.split("\\.");
        for (int i = 0; i < keys.length - 1; i++) {
            group = group.withObject("/" + keys[i]);
        }
        try {
            group.set(keys[keys.length - 1], EventJson.mapper().readTree(value));
        } catch (JsonProcessingException e) {
            throw new IllegalArgumentException(value, e);
        }
        return request;
    }

    public static TrainingRequest complete(JsonNode document) {
        return switch (RequestReader.read(document)) {
            case Reading.Complete complete -> complete.request();
            case Reading.Refused refused ->
                throw new AssertionError(refused.problems().toString());
        };
    }

    /** Looks at the request as a machine does that has none of its files. */
    public static Facts elsewhere(TrainingRequest request) {
        Facts.PromptFile prompts = Facts.PromptFile.unreadable("not on this machine");
        return new Facts(
                Facts.Model.notHere(request.model().path(), "not on this machine"),
                null,
                Map.of(request.data().prompts(), prompts),
                0,
                Purpose.PLAN);
    }

    private static ObjectNode document(String json) {
        try {
            return (ObjectNode) EventJson.mapper().readTree(json);
        } catch (JsonProcessingException e) {
            throw new IllegalArgumentException(json, e);
        }
    }
}
