package dev.sluice.cpu.engine;

import dev.sluice.cpu.http.Answer;
import dev.sluice.cpu.http.Call;
import dev.sluice.sglang.GenerateResponse;
import java.util.List;

/** {@code POST /generate}: one sample, several, or a batch; whole or as a stream of server-sent events. */
final class GenerateEndpoint {
    private final SampleRuns runs;
    private final Replies replies;
    private final boolean onlyNew;

    /** @param onlyNew whether frames of streams carry only what is new, instead of everything so far */
    GenerateEndpoint(SampleRuns runs, Replies replies, boolean onlyNew) {
        this.runs = runs;
        this.replies = replies;
        this.onlyNew = onlyNew;
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
        Increments increments = new Increments();
        return new Answer.Events(out -> {
            stream.read(frame -> {
                GenerateResponse whole = replies.of(frame.sample(), indexed ? frame.index() : null, start);
                Events.write(out, onlyNew ? increments.of(frame, whole) : whole);
            });
            Events.done(out);
        });
    }
}
