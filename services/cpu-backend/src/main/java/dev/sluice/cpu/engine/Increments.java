package dev.sluice.cpu.engine;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.sluice.http.Json;
import dev.sluice.sglang.GenerateResponse;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Frames of one stream that carry only what is new, as SGLang sends them with {@code --incremental-streaming-output}. */
final class Increments {
    /** Lists of {@code meta_info} with an entry a generated token. */
    private static final List<String> TOKEN_LISTS =
            List.of("output_token_logprobs", "output_top_logprobs", "output_token_ids_logprobs");

    private final Map<Integer, Integer> sentTokens = new HashMap<>();
    private final Map<Integer, TextDeltas> texts = new HashMap<>();

    /** What a frame has that the sample's frames before it had not. */
    ObjectNode of(LatestFrames.Frame frame, GenerateResponse whole) {
        ObjectNode json = Json.MAPPER.valueToTree(whole);
        int sent = sentTokens.getOrDefault(frame.index(), 0);
        sentTokens.put(frame.index(), whole.outputIds().length);
        cut(json.get("output_ids"), sent);
        TOKEN_LISTS.forEach(list -> cut(json.path("meta_info").path(list), sent));
        if (whole.text() != null) {
            Sampling.Stops stops = frame.sample().request().sampling().stops();
            TextDeltas deltas = texts.computeIfAbsent(
                    frame.index(), index -> new TextDeltas(stops.keepMatched() ? List.of() : stops.texts()));
            json.put("text", deltas.next(whole.text(), frame.sample().finish() != null));
        }
        return json;
    }

    private static void cut(JsonNode list, int count) {
        if (list instanceof ArrayNode array) {
            for (int i = 0; i < count; i++) {
                array.remove(0);
            }
        }
    }
}
