package dev.sluice.rollout;

import dev.sluice.process.ChildExit;
import dev.sluice.rollout.assignment.Share;
import dev.sluice.rollout.engine.EngineApi;
import dev.sluice.rollout.engine.EngineLauncher;
import dev.sluice.rollout.engine.EngineProcess;
import dev.sluice.rollout.weights.WeightSource;
import dev.sluice.sglang.FinishReason;
import dev.sluice.sglang.GenerateRequest;
import dev.sluice.sglang.GenerateResponse;
import dev.sluice.sglang.Meta;
import dev.sluice.sglang.TokenLogprob;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import java.util.concurrent.CompletableFuture;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/** Engines that answer at once with two tokens, and misbehave as a test says. */
final class FakeEngines implements EngineLauncher {
    final List<FakeEngine> launched = new ArrayList<>();

    @Nullable
    String launchFailure;

    @Override
    public EngineProcess launch(String engineId, Share share, List<Integer> gpus) throws IOException {
        if (launchFailure != null) {
            throw new IOException(launchFailure);
        }
        FakeEngine engine = new FakeEngine(launched.size() + 1);
        launched.add(engine);
        return engine;
    }

    FakeEngine newest() {
        return launched.getLast();
    }

    static final class FakeEngine implements EngineProcess, EngineApi {
        private final int number;
        private final CompletableFuture<ChildExit> exited = new CompletableFuture<>();
        final List<GenerateRequest> requests = new ArrayList<>();
        final List<String> aborted = new ArrayList<>();
        final List<Integer> loaded = new ArrayList<>();
        boolean healthy = true;
        boolean abortsNext;
        boolean refusesWeights;

        @Nullable
        RuntimeException callFailure;

        String label = "default";
        private @Nullable String labelBeforeLoad;

        FakeEngine(int number) {
            this.number = number;
        }

        void crash() {
            exited.complete(new ChildExit(List.of("engine"), pid(), OptionalInt.of(137), List.of("last words")));
        }

        @Override
        public List<GenerateResponse> generate(List<GenerateRequest> batch, Duration deadline) {
            requests.addAll(batch);
            if (callFailure != null) {
                throw callFailure;
            }
            FinishReason reason = abortsNext ? FinishReason.Abort.whileRunning() : new FinishReason.Length(2);
            abortsNext = false;
            return IntStream.range(0, batch.size())
                    .mapToObj(index -> reply(batch.get(index), reason))
                    .toList();
        }

        private GenerateResponse reply(GenerateRequest request, FinishReason reason) {
            List<TokenLogprob> logprobs = List.of(new TokenLogprob(-0.5, 5), new TokenLogprob(-0.5, 6));
            Meta meta = new Meta(
                    String.valueOf(request.rid()),
                    reason,
                    1,
                    2,
                    0,
                    reason instanceof FinishReason.Abort && labelBeforeLoad != null ? labelBeforeLoad : label,
                    0,
                    null,
                    null,
                    null,
                    null,
                    logprobs,
                    2,
                    null,
                    null,
                    null,
                    null);
            return new GenerateResponse("01", new int[] {5, 6}, meta, null, null);
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
        public List<String> load(WeightSource source, Duration deadline) {
            if (refusesWeights) {
                throw new IllegalStateException("weights are partly updated");
            }
            loaded.add(source.version());
            labelBeforeLoad = label; // what a pause cut off was sampled before the load
            label = Integer.toString(source.version());
            return List.of("success");
        }

        @Override
        public int port() {
            return 20_000 + number;
        }

        @Override
        public long pid() {
            return number;
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
            return List.of();
        }

        @Override
        public ChildExit stop(Duration grace) {
            ChildExit exit = new ChildExit(List.of("engine"), pid(), OptionalInt.of(0), List.of());
            exited.complete(exit);
            return exit;
        }
    }
}
