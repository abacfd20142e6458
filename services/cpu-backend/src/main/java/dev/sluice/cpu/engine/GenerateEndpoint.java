package dev.sluice.cpu.engine;

import dev.sluice.cpu.http.Answer;
import dev.sluice.cpu.http.Call;
import dev.sluice.sglang.GenerateResponse;
import java.util.List;

/** {@code POST /generate}: one sample, several, or a batch; whole or as a stream of server-sent events. */
final class GenerateEndpoint {
    private final SampleRuns runs;
    private final Replies replies;

    GenerateEndpoint(SampleRuns runs, Replies replies) {
        this.runs = runs;
        this.replies = replies;
    }

    Answer generate(Call call) throws Exception {
        long start = System.nanoTime();
        GenerateBody body = GenerateBody.read(call.object());
        if (body.streams()) {
            return stream(body, start);
        }
        List<GenerateResponse> responses = runs.finish(body.prompts()).stream()
                .map(sample -> replies.of(sample, null, start))
                .toList();
        return Answer.ok(body.single() && responses.size() == 1 ? responses.get(0) : responses);
    }

    private Answer stream(GenerateBody body, long start) throws Exception {
        SampleRuns.Stream stream;
        try {
            stream = runs.start(body.prompts());
        } catch (RequestException e) {
            return Events.refused(e);
        }
        boolean indexed = !body.single() || stream.samples() > 1;
        return new Answer.Events(out -> {
            stream.read(frame -> Events.write(out, replies.of(frame.sample(), indexed ? frame.index() : null, start)));
            Events.done(out);
        });
    }
}
