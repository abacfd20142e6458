package dev.sluice.cpu.engine;

import dev.sluice.cpu.engine.GenerateBody.Prompt;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Collectors;

/** Runs the samples of a call: all to their ends, or with what they have after each step. */
final class SampleRuns {
    private final Engine engine;
    private final Prompts prompts;

    SampleRuns(Engine engine) {
        this.engine = engine;
        this.prompts = new Prompts(engine);
    }

    /** Token ids of a text; refuses one that no context could hold. */
    int[] encode(String text) {
        return prompts.encode(text);
    }

    /** Waits for all samples; per prompt, then per sample. */
    List<Sample> finish(List<Prompt> asked) throws Exception {
        List<CompletableFuture<Sample>> samples = new ArrayList<>();
        List<GenerationRequest> requests = new ArrayList<>();
        for (Prompt prompt : asked) {
            requests.addAll(prompts.requests(prompt, sample -> {
                CompletableFuture<Sample> ended = new CompletableFuture<>();
                samples.add(ended);
                return ended::complete;
            }));
            requireRoom(requests.size());
        }
        engine.ranks().submit(requests, engine.options().maxQueued());
        List<Sample> ended = new ArrayList<>();
        for (CompletableFuture<Sample> sample : samples) {
            ended.add(sample.get());
        }
        return ended;
    }

    /** Begins all samples. */
    Stream start(List<Prompt> asked) throws Exception {
        LatestFrames frames = new LatestFrames();
        List<GenerationRequest> requests = new ArrayList<>();
        for (Prompt prompt : asked) {
            int first = requests.size();
            requests.addAll(prompts.requests(
                    prompt, i -> sample -> frames.put(new LatestFrames.Frame(first + i, sample))));
            requireRoom(requests.size());
        }
        engine.ranks().submit(requests, engine.options().maxQueued());
        return new Stream(requests, frames);
    }

    /** Refuses a body that could never be queued before its samples fill the memory. */
    private void requireRoom(int samples) {
        if (samples > engine.options().maxQueued() + engine.options().maxRunning()) {
            throw new RequestException(503, "The request queue is full.");
        }
    }

    /** Takes what a sample has so far; a failure means that nobody reads any more. */
    @FunctionalInterface
    interface Reader {
        void read(LatestFrames.Frame frame) throws IOException;
    }

    /** Samples on their way. */
    final class Stream {
        private final List<GenerationRequest> requests;
        private final LatestFrames frames;

        private Stream(List<GenerationRequest> requests, LatestFrames frames) {
            this.requests = requests;
            this.frames = frames;
        }

        int samples() {
            return requests.size();
        }

        /** Reads until every sample has ended; where the reader fails the samples are aborted. */
        void read(Reader reader) throws IOException {
            try {
                int open = requests.size();
                while (open > 0) {
                    LatestFrames.Frame frame = frames.take();
                    reader.read(frame);
                    open -= frame.sample().finish() == null ? 0 : 1;
                }
            } catch (IOException | InterruptedException | RuntimeException e) {
                // The client has gone or the server stops: nobody reads the rest.
                Set<String> rids = requests.stream().map(GenerationRequest::rid).collect(Collectors.toSet());
                engine.ranks().all().forEach(scheduler -> scheduler.abort(rids::contains));
                switch (e) {
                    case IOException gone -> throw gone;
                    case RuntimeException broken -> throw broken;
                    default -> throw new IOException("interrupted", e);
                }
            }
        }
    }
}
