package dev.sluice.cpu.engine;

import com.fasterxml.jackson.core.JsonProcessingException;
import dev.sluice.http.Json;
import dev.sluice.sglang.FinishReason;
import dev.sluice.sglang.GenerateResponse;
import dev.sluice.sglang.Meta;
import dev.sluice.sglang.TokenLogprob;
import java.util.List;

/**
 * Reads a request and writes a reply that nobody sent, while the model is loaded on another core: the classes that this
 * loads would otherwise be loaded by the first request, for which a supervisor waits before the engine counts as ready.
 */
final class Preload {
    private static final String REQUEST = """
            {"rid": ["preload"], "input_ids": [[1, 2]], "return_logprob": true, "stream": false,
             "sampling_params": [{"max_new_tokens": 2, "temperature": 0.5, "ignore_eos": true}]}
            """;

    private Preload() {}

    static void start() {
        Thread.ofPlatform().daemon().name("preload").start(Preload::run);
    }

    private static void run() {
        try {
            GenerateBody.read(Json.MAPPER.readTree(REQUEST));
            Json.MAPPER.writeValueAsBytes(List.of(reply()));
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("the request that every engine reads at its start cannot be read", e);
        }
    }

    private static GenerateResponse reply() {
        Meta meta = new Meta(
                "preload",
                new FinishReason.Length(1),
                2,
                1,
                0,
                "default",
                0,
                null,
                0.5,
                null,
                null,
                List.of(new TokenLogprob(-0.5, 1)),
                1,
                null,
                null,
                null,
                null);
        return new GenerateResponse("", new int[] {1}, meta, null, 0);
    }
}
