package dev.sluice.cpu.engine;

import dev.sluice.http.HttpCall;
import dev.sluice.http.HttpEndpoint;
import dev.sluice.http.HttpReply;
import dev.sluice.sglang.GenerateRequest;
import dev.sluice.sglang.GenerateResponse;
import dev.sluice.sglang.SamplingParams;
import dev.sluice.sglang.SglangClient;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;

/** An engine in this JVM on a free port, with a client. */
final class RunningEngine implements AutoCloseable {
    static final Duration DEADLINE = Duration.ofSeconds(60);

    private final Engine engine;
    private final EngineServer server;
    private final URI uri;

    private RunningEngine(Engine engine, EngineServer server) {
        this.engine = engine;
        this.server = server;
        this.uri = URI.create("http://127.0.0.1:" + server.address().getPort());
    }

    static RunningEngine start(Path model, String... flags) throws IOException {
        return start(Map.of(), model, flags);
    }

    static RunningEngine start(Map<String, String> environment, Path model, String... flags) throws IOException {
        List<String> arguments =
                new ArrayList<>(List.of("--model-path", model.toString(), "--port", "0", "--random-seed", "1"));
        if (model.equals(TestModels.TINY)) {
            arguments.add("--skip-tokenizer-init");
        }
        arguments.addAll(List.of(flags));
        EngineOptions options = EngineOptions.of(LaunchFlags.parse(arguments));
        Engine engine = Engine.load(options, EngineEnvironment.of(environment), cause -> {
            throw new IllegalStateException("the scheduler failed", cause);
        });
        return new RunningEngine(engine, new EngineServer(engine, Clock.systemUTC()));
    }

    Engine engine() {
        return engine;
    }

    URI uri() {
        return uri;
    }

    SglangClient client() {
        return new SglangClient(uri, null);
    }

    HttpReply post(String path, Object body) {
        return HttpEndpoint.at(uri).call(HttpCall.post(path, body, DEADLINE));
    }

    HttpReply get(String path) {
        return HttpEndpoint.at(uri).call(HttpCall.get(path, DEADLINE));
    }

    GenerateResponse generate(int[] prompt, SamplingParams sampling) {
        return client().generate(GenerateRequest.ofTokens(null, prompt, sampling), DEADLINE);
    }

    /** Generates while the test does something else. */
    CompletableFuture<GenerateResponse> begin(String rid, int[] prompt, SamplingParams sampling) {
        return CompletableFuture.supplyAsync(
                () -> client().generate(GenerateRequest.ofTokens(rid, prompt, sampling), DEADLINE),
                task -> Thread.ofVirtual().start(task));
    }

    @Override
    public void close() {
        server.close();
        engine.close();
    }
}
