package dev.sluice.cpu.engine;

import dev.sluice.cpu.http.Answer;
import dev.sluice.cpu.http.Call;
import dev.sluice.cpu.http.Handler;
import dev.sluice.cpu.http.JsonServer;
import dev.sluice.cpu.http.Routes;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.time.Clock;
import java.time.Duration;

/** SGLang's HTTP API over an engine. Binds last, when the model is loaded: a refused connection means that it still loads. */
final class EngineServer implements AutoCloseable {
    /** Read, a body takes up to eight times its memory, and two may be read at once. */
    private static final long BODY_LIMIT_BYTES =
            Math.min(64L << 20, Runtime.getRuntime().maxMemory() / 32);

    private final StatusEndpoints status;
    private final JsonServer server;

    /** Binds and serves. */
    EngineServer(Engine engine, Clock clock) throws IOException {
        status = new StatusEndpoints(engine);
        EngineOptions options = engine.options();
        server = JsonServer.start(
                new JsonServer.Settings(
                        new InetSocketAddress(options.host(), options.port()), BODY_LIMIT_BYTES, options.apiKey()),
                routes(engine, clock),
                Envelopes::of);
    }

    InetSocketAddress address() {
        return server.address();
    }

    /** From now on the engine says that it is unhealthy and refuses new requests. */
    void drain() {
        status.drain();
    }

    /** Waits until the calls in progress have their answers, at most so long. */
    void awaitAnswers(Duration atMost) {
        server.awaitAnswers(atMost);
    }

    private Routes routes(Engine engine, Clock clock) {
        LoadEndpoints load = new LoadEndpoints(engine, clock);
        ModelsEndpoint models = new ModelsEndpoint(engine, clock);
        SampleRuns runs = new SampleRuns(engine);
        Replies replies = new Replies(engine.tokenizer());
        GenerateEndpoint generate =
                new GenerateEndpoint(runs, replies, engine.options().streamsIncrements());
        OpenAiEndpoints openAi = new OpenAiEndpoints(engine, runs, replies, clock);
        ControlEndpoints control = new ControlEndpoints(engine.ranks());
        WeightEndpoints weights = new WeightEndpoints(engine);
        MemoryEndpoints memory = new MemoryEndpoints(engine.ranks());
        WeightValues values = new WeightValues(engine.weights(), engine.ranks());
        Routes routes = new Routes()
                .open("GET", "/health", status::health)
                .open("GET", "/health_generate", status::health)
                .open("GET|POST", "/ping", status::health)
                .open("GET", "/metrics", status::metrics)
                .on("GET", "/model_info", status::modelInfo)
                .on("GET", "/get_model_info", status::modelInfo)
                .on("GET", "/server_info", status::serverInfo)
                .on("GET", "/get_server_info", status::serverInfo)
                .on("GET", "/v1/loads", load::loads)
                .on("GET", "/get_load", load::load)
                .on("GET", "/v1/models", models::models)
                .on("GET", "/v1/models/{id}", models::model)
                .on("POST|PUT", "/generate", call -> unlessDraining(generate::generate, call))
                .on("POST", "/v1/completions", call -> unlessDraining(openAi::complete, call))
                .on("POST", "/v1/chat/completions", call -> unlessDraining(openAi::chat, call))
                .on("GET|POST", "/flush_cache", control::flush)
                .on("POST", "/abort_request", control::abort)
                .on("POST", "/pause_generation", control::pause)
                .on("POST", "/continue_generation", control::resume)
                .on("POST", "/update_weights_from_disk", weights::updateFromDisk)
                .on("POST", "/update_weight_version", weights::updateVersion)
                .on("GET", "/get_weight_version", weights::version)
                .on("GET", "/weight_version", weights::version)
                .on("GET|POST", "/weights_checker", weights::check)
                .on("GET|POST", "/release_memory_occupation", memory::release)
                .on("GET|POST", "/resume_memory_occupation", memory::resume)
                .on("GET|POST", "/get_weights_by_name", values::get);
        new PoliteEndpoints(engine.ranks()).addTo(routes);
        return routes;
    }

    private Answer unlessDraining(Handler handler, Call call) throws Exception {
        if (status.isDraining()) {
            return Envelopes.error(503, "503", "The engine is shutting down.");
        }
        return handler.handle(call);
    }

    @Override
    public void close() {
        server.close();
    }
}
