package dev.sluice.cpu.engine;

import dev.sluice.cpu.http.Answer;
import dev.sluice.cpu.http.Call;
import dev.sluice.http.Json;
import dev.sluice.sglang.GenerateResponse;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Collectors;

/** {@code POST /generate}: one sample, several, or a batch; whole or as a stream of server-sent events. */
final class GenerateEndpoint {
    private final Engine engine;
    private final Prompts prompts;
    private final Replies replies;

    GenerateEndpoint(Engine engine) {
        this.engine = engine;
        this.prompts = new Prompts(
                engine.tokenizer(),
                engine.config().vocabularySize(),
                engine.contextLength(),
                engine.ranks().count(),
                engine.options().seed());
        this.replies = new Replies(engine.tokenizer());
    }

    Answer generate(Call call) throws Exception {
        long start = System.nanoTime();
        GenerateBody body = GenerateBody.read(call.object());
        if (body.streams()) {
            return stream(body, start);
        }
        List<CompletableFuture<Sample>> samples = new ArrayList<>();
        List<Boolean> texts = new ArrayList<>();
        List<GenerationRequest> requests = new ArrayList<>();
        for (GenerateBody.Prompt prompt : body.prompts()) {
            requests.addAll(prompts.requests(prompt, sample -> {
                CompletableFuture<Sample> ended = new CompletableFuture<>();
                samples.add(ended);
                texts.add(Boolean.TRUE.equals(prompt.request().returnTextInLogprobs()));
                return ended::complete;
            }));
            requireRoom(requests.size());
        }
        submit(requests);
        List<GenerateResponse> responses = new ArrayList<>();
        for (int i = 0; i < samples.size(); i++) {
            responses.add(replies.of(samples.get(i).get(), null, texts.get(i), start));
        }
        return Answer.ok(body.single() && responses.size() == 1 ? responses.get(0) : responses);
    }

    private Answer stream(GenerateBody body, long start) throws Exception {
        LatestFrames frames = new LatestFrames();
        List<GenerationRequest> requests = new ArrayList<>();
        try {
            for (GenerateBody.Prompt prompt : body.prompts()) {
                boolean texts = Boolean.TRUE.equals(prompt.request().returnTextInLogprobs());
                int first = requests.size();
                requests.addAll(prompts.requests(
                        prompt, i -> sample -> frames.put(new LatestFrames.Frame(first + i, sample, texts))));
            }
            submit(requests);
        } catch (RequestException e) {
            return new Answer.Events(out -> {
                Map<String, Object> error = Map.of(
                        "message",
                        String.valueOf(e.getMessage()),
                        "type",
                        "invalid_request_error",
                        "code",
                        e.status(),
                        "retryable",
                        e.status() == 503);
                write(out, Json.MAPPER.writeValueAsString(Map.of("error", error)));
                write(out, "[DONE]");
            });
        }
        boolean indexed = !body.single() || requests.size() > 1;
        return new Answer.Events(out -> {
            try {
                int open = requests.size();
                while (open > 0) {
                    LatestFrames.Frame frame = frames.take();
                    Integer index = indexed ? frame.index() : null;
                    write(out, Json.MAPPER.writeValueAsString(replies.of(frame.sample(), index, frame.texts(), start)));
                    open -= frame.sample().finish() == null ? 0 : 1;
                }
                write(out, "[DONE]");
            } catch (IOException | InterruptedException e) {
                // The client has gone or the server stops: nobody reads the rest.
                Set<String> rids = requests.stream().map(GenerationRequest::rid).collect(Collectors.toSet());
                engine.ranks().all().forEach(scheduler -> scheduler.abort(rids::contains));
                throw e instanceof IOException io ? io : new IOException("interrupted", e);
            }
        });
    }

    /** Refuses a body that could never be queued before its samples fill the memory. */
    private void requireRoom(int samples) {
        if (samples > engine.options().maxQueued() + engine.options().maxRunning()) {
            throw new RequestException(503, "The request queue is full.");
        }
    }

    private void submit(List<GenerationRequest> requests) throws Exception {
        engine.ranks().submit(requests, engine.options().maxQueued());
    }

    private static void write(OutputStream out, String data) throws IOException {
        out.write(("data: " + data + "\n\n").getBytes(StandardCharsets.UTF_8));
        out.flush();
    }
}
