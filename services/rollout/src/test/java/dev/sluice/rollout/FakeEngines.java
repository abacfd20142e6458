package dev.sluice.rollout;

import dev.sluice.process.ChildExit;
import dev.sluice.rollout.assignment.Share;
import dev.sluice.rollout.engine.EngineApi;
import dev.sluice.rollout.engine.EngineLauncher;
import dev.sluice.rollout.engine.EngineProcess;
import dev.sluice.rollout.engine.Progress;
import dev.sluice.rollout.weights.WeightSource;
import dev.sluice.sglang.FinishReason;
import dev.sluice.sglang.GenerateRequest;
import dev.sluice.sglang.GenerateResponse;
import dev.sluice.sglang.MemoryTag;
import dev.sluice.sglang.Meta;
import dev.sluice.sglang.PauseMode;
import dev.sluice.sglang.Speculation;
import dev.sluice.sglang.StreamedSamples;
import dev.sluice.sglang.TokenLogprob;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/** Engines that answer at once with two tokens, and misbehave as a test says. */
final class FakeEngines implements EngineLauncher {
    final List<FakeEngine> launched = new ArrayList<>();

    @Nullable
    String launchFailure;

    /** What a test does to every engine before it answers. */
    Consumer<FakeEngine> misfortune = engine -> {};

    @Override
    public EngineProcess launch(String engineId, Share share, List<Integer> gpus) throws IOException {
        if (launchFailure != null) {
            throw new IOException(launchFailure);
        }
        FakeEngine engine = new FakeEngine(launched.size() + 1, share);
        misfortune.accept(engine);
        launched.add(engine);
        return engine;
    }

    FakeEngine newest() {
        return launched.getLast();
    }

    static final class FakeEngine implements EngineProcess, EngineApi {
        final int number;
        private final CompletableFuture<ChildExit> exited = new CompletableFuture<>();
        final List<GenerateRequest> requests = new ArrayList<>();
        final List<GenerateRequest> canaries = new ArrayList<>();
        final Share share;
        final List<String> aborted = new ArrayList<>();
        final List<Integer> loaded = new ArrayList<>();
        final List<PauseMode> pauses = new ArrayList<>();
        final List<String> calls = new ArrayList<>();
        final Set<MemoryTag> released = EnumSet.noneOf(MemoryTag.class);
        boolean paused;
        boolean refusesToStandStill;

        /** Frames that a streamed request gets, each with everything so far; without it one with the whole reply. */
        @Nullable
        Function<GenerateRequest, List<GenerateResponse>> frames;

        /** Whether it dies when it has sent the frames of a stream. */
        boolean diesInStream;

        boolean healthy = true;
        boolean abortsNext;
        boolean refusesWeights;

        /** What it says after the tokens of a prompt, ending by itself; without it the two tokens of others. */
        @Nullable
        Function<int[], int[]> model;

        @Nullable
        RuntimeException callFailure;

        String label = "default";
        private @Nullable String labelBeforeLoad;

        /** Whether it answers health checks but generates nothing. */
        boolean generatesNothing;

        /** Whether it was there before. */
        boolean adopted;

        /** What it says that it computes; the same again and again while its tokens stand still. */
        Supplier<Optional<Progress>> progress = () -> Optional.of(new Progress(1, 100, 0));

        @Nullable
        String labelAfterLoad;

        @Nullable
        String checksum;

        @Nullable
        Speculation speculation;

        private List<String> output = List.of("last words");

        FakeEngine(int number, Share share) {
            this.number = number;
            this.share = share;
        }

        void crash(String... lastLines) {
            output = List.of(lastLines);
            exited.complete(new ChildExit(List.of("engine"), pid(), OptionalInt.of(137), output));
        }

        @Override
        public List<GenerateResponse> generate(List<GenerateRequest> batch, Duration deadline) {
            if (generatesNothing) {
                throw new IllegalStateException("no answer within " + deadline);
            }
            if (String.valueOf(batch.getFirst().rid()).startsWith("canary/")) {
                if (paused) {
                    throw new AssertionError("it got a canary while it stood still");
                }
                canaries.addAll(batch);
                return List.of(reply(batch.getFirst(), new FinishReason.Length(2)));
            }
            requests.addAll(batch);
            if (callFailure != null) {
                throw callFailure;
            }
            if (model != null) {
                return batch.stream()
                        .map(request -> reply(
                                request,
                                new FinishReason.Stop(new FinishReason.Matched.Token(1)),
                                model.apply(request.inputIds())))
                        .toList();
            }
            FinishReason reason = abortsNext ? FinishReason.Abort.whileRunning() : new FinishReason.Length(2);
            abortsNext = false;
            return IntStream.range(0, batch.size())
                    .mapToObj(index -> reply(batch.get(index), reason))
                    .toList();
        }

        @Override
        public void stream(List<GenerateRequest> batch, StreamedSamples samples, Duration deadline) {
            if (frames == null) {
                List<GenerateResponse> replies = generate(batch, deadline);
                IntStream.range(0, batch.size()).forEach(index -> send(samples, index, replies.get(index)));
                return;
            }
            requests.addAll(batch);
            for (int index = 0; index < batch.size(); index++) {
                int place = index;
                frames.apply(batch.get(index)).forEach(frame -> send(samples, place, frame));
            }
            if (diesInStream) {
                crash("it is gone");
                throw new IllegalStateException("the connection broke");
            }
        }

        private static void send(StreamedSamples samples, int index, GenerateResponse frame) {
            String objection =
                    samples.add(new GenerateResponse(frame.text(), frame.outputIds(), frame.meta(), null, index));
            if (objection != null) {
                throw new AssertionError(objection);
            }
        }

        /** A frame that names these weights. */
        static GenerateResponse frame(
                GenerateRequest request, @Nullable FinishReason reason, String label, int... said) {
            return response(request, reason, label, null, said);
        }

        private static GenerateResponse response(
                GenerateRequest request,
                @Nullable FinishReason reason,
                @Nullable String label,
                @Nullable Speculation speculation,
                int... said) {
            List<TokenLogprob> logprobs = Arrays.stream(said)
                    .mapToObj(token -> new TokenLogprob(-0.5, token))
                    .toList();
            Meta meta = new Meta(
                    String.valueOf(request.rid()),
                    reason,
                    1,
                    said.length,
                    0,
                    label,
                    0,
                    null,
                    null,
                    null,
                    null,
                    logprobs,
                    said.length,
                    null,
                    null,
                    null,
                    speculation);
            return new GenerateResponse("01", said, meta, null, null);
        }

        private GenerateResponse reply(GenerateRequest request, FinishReason reason) {
            return reply(request, reason, new int[] {5, 6});
        }

        private GenerateResponse reply(GenerateRequest request, FinishReason reason, int[] said) {
            boolean before = reason instanceof FinishReason.Abort && labelBeforeLoad != null;
            return response(request, reason, before ? labelBeforeLoad : label, speculation, said);
        }

        @Override
        public void abort(String ridPrefix) {
            aborted.add(ridPrefix);
        }

        @Override
        public boolean healthy(Duration deadline) {
            return healthy;
        }

        @Override
        public Optional<Progress> progress(Duration deadline) {
            return progress.get();
        }

        @Override
        public Optional<String> checksum(Duration deadline) {
            return Optional.ofNullable(checksum);
        }

        @Override
        public void standStill(PauseMode pause, Duration deadline) {
            pauses.add(pause);
            calls.add("pause " + pause);
            paused = true;
            if (refusesToStandStill) {
                throw new IllegalStateException("requests still run after a pause");
            }
        }

        /** What a stock engine dies of is a mistake of whoever asks. */
        @Override
        public void release(Set<MemoryTag> tags, Duration deadline) {
            calls.add("release " + new TreeSet<>(tags));
            if (!paused || tags.stream().anyMatch(released::contains)) {
                throw new AssertionError(tags + " is released although paused=" + paused + " released=" + released);
            }
            released.addAll(tags);
        }

        @Override
        public void resume(Set<MemoryTag> tags, Duration deadline) {
            calls.add("resume " + new TreeSet<>(tags));
            if (!paused || !released.containsAll(tags)) {
                throw new AssertionError(tags + " is resumed although paused=" + paused + " released=" + released);
            }
            released.removeAll(tags);
        }

        @Override
        public List<String> put(WeightSource source, boolean dropsCache, Duration deadline) {
            calls.add("load " + source.version());
            if (refusesWeights) {
                throw new IllegalStateException("weights are partly updated");
            }
            if (!paused || released.contains(MemoryTag.WEIGHTS)) {
                throw new AssertionError("weights are loaded although paused=" + paused + " released=" + released);
            }
            loaded.add(source.version());
            sent(labelAfterLoad == null ? Integer.toString(source.version()) : labelAfterLoad);
            return List.of("success");
        }

        /** Weights come into its memory under this label. */
        void sent(String newLabel) {
            labelBeforeLoad = label; // what a pause cut off was sampled before the load
            label = newLabel;
        }

        @Override
        public List<String> goOn(int version) {
            calls.add("continue " + version);
            if (!released.isEmpty()) {
                throw new AssertionError("it goes on without " + released);
            }
            if (labelAfterLoad == null && !label.equals(Integer.toString(version))) {
                throw new IllegalStateException("it says that it holds '" + label + "'");
            }
            paused = false;
            return List.of("model_info.weight_version");
        }

        @Override
        public int port() {
            return 20_000 + number;
        }

        @Override
        public Optional<String> meetingAddress() {
            return share.node() == null || share.node().follows()
                    ? Optional.empty()
                    : Optional.of("10.0.0.6:" + (port() + 2));
        }

        @Override
        public long pid() {
            return number;
        }

        @Override
        public boolean adopted() {
            return adopted;
        }

        @Override
        public EngineApi api() {
            return this;
        }

        @Override
        public CompletableFuture<ChildExit> exited() {
            return exited;
        }

        @Override
        public List<String> lastLines(int atMost) {
            return output;
        }

        @Override
        public ChildExit stop(Duration grace) {
            ChildExit exit = new ChildExit(List.of("engine"), pid(), OptionalInt.of(0), List.of());
            exited.complete(exit);
            return exit;
        }
    }
}
