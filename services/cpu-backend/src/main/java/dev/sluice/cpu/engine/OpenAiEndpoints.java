package dev.sluice.cpu.engine;

import com.fasterxml.jackson.databind.JsonNode;
import dev.sluice.cpu.http.Answer;
import dev.sluice.cpu.http.BodyException;
import dev.sluice.cpu.http.Call;
import java.io.IOException;
import java.io.OutputStream;
import java.time.Clock;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** {@code /v1/completions} and {@code /v1/chat/completions}, whole or as streams. */
final class OpenAiEndpoints {
    private final Engine engine;
    private final SampleRuns runs;
    private final Replies replies;
    private final Clock clock;

    OpenAiEndpoints(Engine engine, SampleRuns runs, Replies replies, Clock clock) {
        this.engine = engine;
        this.runs = runs;
        this.replies = replies;
        this.clock = clock;
    }

    Answer complete(Call call) throws Exception {
        return answer(() -> OpenAiRequest.completion(object(call)));
    }

    Answer chat(Call call) throws Exception {
        return answer(() -> {
            JsonNode body = object(call);
            OpenAiRequest.requireMessages(body);
            int[] prompt = runs.encode(engine.chatFormat().prompt(body));
            int room = Math.max(0, engine.contextLength() - engine.options().reservedTokens() - prompt.length);
            return OpenAiRequest.chat(body, new OpenAiRequest.ChatPrompt(prompt, room));
        });
    }

    /** Reads a body; a refusal is worded alike whether it comes from reading or from running. */
    @FunctionalInterface
    private interface Reading {
        OpenAiRequest read() throws Exception;
    }

    private Answer answer(Reading reading) throws Exception {
        try {
            OpenAiRequest request = reading.read();
            OpenAiReplies shapes = new OpenAiReplies(
                    request, replies, clock.millis() / 1000, engine.options().reportsCache());
            if (request.stream()) {
                SampleRuns.Stream stream = runs.start(request.prompts());
                return new Answer.Events(out -> write(out, stream, request, shapes));
            }
            return Answer.ok(shapes.whole(runs.finish(request.prompts())));
        } catch (RequestException e) {
            return e.status() == 400
                    ? Envelopes.error(400, "BadRequestError", String.valueOf(e.getMessage()))
                    : Envelopes.refused(e);
        }
    }

    private static void write(OutputStream out, SampleRuns.Stream stream, OpenAiRequest request, OpenAiReplies shapes)
            throws IOException {
        List<OpenAiReplies.Progress> progress = new ArrayList<>();
        for (int i = 0; i < stream.samples(); i++) {
            progress.add(shapes.begin(i));
        }
        List<Sample> ended = new ArrayList<>();
        stream.read(frame -> {
            for (Map<String, ?> chunk : progress.get(frame.index()).chunks(frame.sample())) {
                Events.write(out, chunk);
            }
            if (frame.sample().finish() != null) {
                ended.add(frame.sample());
            }
        });
        if (request.usageInStream()) {
            Events.write(out, shapes.usageChunk(ended));
        }
        Events.done(out);
    }

    private static JsonNode object(Call call) {
        String type = call.contentType();
        if (type == null || !type.toLowerCase(Locale.ROOT).startsWith("application/json")) {
            throw new BodyException("Unsupported Media Type: Only 'application/json' is allowed");
        }
        return call.object();
    }
}
