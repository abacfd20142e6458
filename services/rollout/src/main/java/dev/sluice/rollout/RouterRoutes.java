package dev.sluice.rollout;

import dev.sluice.rollout.core.Core;
import dev.sluice.rollout.task.DirectRequests.Placement;
import dev.sluice.rollout.task.DirectRequests.Worker;
import dev.sluice.rollout.task.RoutedRequest;
import io.vertx.core.Context;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpClient;
import io.vertx.core.http.HttpClientOptions;
import io.vertx.core.http.HttpClientRequest;
import io.vertx.core.http.HttpClientResponse;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.HttpServerResponse;
import io.vertx.core.http.PoolOptions;
import io.vertx.core.http.RequestOptions;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import io.vertx.ext.web.Router;
import io.vertx.ext.web.RoutingContext;
import io.vertx.ext.web.handler.BodyHandler;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;
import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The part of sglang-router's API that clients of engines use, in both dialects. A request may say which weight versions
 * may sample it; it is never sent to an engine outside of that, nor to one whose weights are being replaced, and is sent once:
 * a retry of our own could generate twice.
 *
 * @see <a href="https://github.com/sgl-project/sglang/tree/v0.5.15.post1/sgl-model-gateway">sgl-model-gateway</a>
 */
@ApplicationScoped
class RouterRoutes {
    static final String ENGINE = "X-Sluice-Engine";
    static final String WEIGHT_VERSION = "X-Sluice-Weight-Version";
    /** The newest version that can have sampled a token of a whole reply; frames of a stream say it themselves. */
    static final String END_WEIGHT_VERSION = "X-Sluice-End-Weight-Version";
    /** As sglang-router names it: requests with the same key keep to one engine. */
    static final String ROUTING_KEY = "X-SMG-Routing-Key";

    private static final String EVENT_STREAM = "text/event-stream";
    private static final Logger LOG = LoggerFactory.getLogger(RouterRoutes.class);
    private static final int MAX_CONNECTIONS_PER_ENGINE = 1024;
    /** SGLang closes an idle connection after 5 s. */
    private static final int IDLE_SECONDS = 4;

    private final RolloutInstance instance;
    private final Core core;
    private final RolloutConfig.Clients config;
    private final Optional<String> apiKey;
    private final HttpClient client;

    RouterRoutes(RolloutService service, RolloutConfig config, Vertx vertx) {
        this.instance = service.instance();
        this.core = service.core();
        this.config = config.clients();
        this.apiKey = config.engine().apiKey();
        this.client = vertx.createHttpClient(
                new HttpClientOptions().setKeepAliveTimeout(IDLE_SECONDS),
                new PoolOptions().setHttp1MaxSize(MAX_CONNECTIONS_PER_ENGINE));
    }

    void register(@Observes Router router) {
        for (String path : List.of("/generate", "/v1/completions", "/v1/chat/completions")) {
            router.post(path)
                    .handler(BodyHandler.create(false).setBodyLimit(config.maxBody()))
                    .handler(this::generate);
        }
        for (String path :
                List.of("/v1/models", "/model_info", "/get_model_info", "/server_info", "/get_server_info")) {
            router.get(path).handler(this::askOne);
        }
        for (String path : List.of("/health", "/health_generate", "/readiness")) {
            router.get(path).handler(this::ready);
        }
        router.get("/liveness").handler(call -> call.response().end());
        router.get("/workers").handler(this::listWorkers);
        router.get("/list_workers").handler(this::listUrls);
        router.get("/workers/:id").handler(this::worker);
        router.post("/workers").handler(BodyHandler.create(false)).handler(this::addWorker);
        router.post("/add_worker").handler(this::addWorkerByUrl);
        router.delete("/workers/:id").handler(this::refuseRemoval);
        router.post("/remove_worker").handler(this::refuseRemoval);
    }

    private void generate(RoutingContext call) {
        RoutedBody body;
        try {
            body = RoutedBody.read(
                    call.body().buffer() == null
                            ? new byte[0]
                            : call.body().buffer().getBytes());
        } catch (IOException e) {
            answer(call, 400, error(400, e.getMessage()));
            return;
        }
        Context context = Vertx.currentContext();
        String key = call.request().getHeader(ROUTING_KEY);
        RoutedRequest request = body.request(key);
        instance.direct(body.runId(), run -> {
            Placement placement = run.<Placement>map(direct -> direct.place(request))
                    .orElseGet(() -> new Placement.Unavailable(
                            body.runId() == null
                                    ? "this instance serves no run, or several; name one with run_id"
                                    : "this instance does not serve run " + body.runId()));
            context.runOnContext(any -> placed(call, body, placement));
        });
    }

    private void placed(RoutingContext call, RoutedBody body, Placement placement) {
        switch (placement) {
            case Placement.Over over -> answer(call, 410, error(410, over.reason()));
            case Placement.Unavailable none -> answer(call, 503, error(503, none.reason()));
            case Placement.WrongVersion wrong ->
                answer(call, 409, error(409, wrong.reason()).put("weight_version", Integer.toString(wrong.newest())));
            case Placement.To to -> new Forwarded(call, body, to).send();
        }
    }

    /** One request on its way to an engine and back. */
    private final class Forwarded {
        private final RoutingContext call;
        private final RoutedBody body;
        private final Placement.To to;
        private final AtomicBoolean ended = new AtomicBoolean();

        Forwarded(RoutingContext call, RoutedBody body, Placement.To to) {
            this.call = call;
            this.body = body;
            this.to = to;
        }

        void send() {
            call.response().closeHandler(closed -> hungUp());
            client.request(options(
                            call.request().method(),
                            to.address(),
                            call.request().uri()))
                    .compose(this::send)
                    .onSuccess(this::reply)
                    .onFailure(failure -> {
                        end();
                        answer(call, 503, error(503, "engine %s: %s".formatted(to.engineId(), failure.getMessage())));
                    });
        }

        private Future<HttpClientResponse> send(HttpClientRequest request) {
            copy(call, request, HttpHeaders.CONTENT_TYPE.toString());
            copy(call, request, "x-request-id");
            copy(call, request, ROUTING_KEY);
            Buffer content = call.body().buffer();
            return request.send(
                    to.rank() == null || body.ranked()
                            ? content
                            : Buffer.buffer(RoutedBody.withRank(content.getBytes(), to.rank())));
        }

        private void reply(HttpClientResponse reply) {
            HttpServerResponse response = call.response().setStatusCode(reply.statusCode());
            String length = reply.getHeader(HttpHeaders.CONTENT_LENGTH);
            if (length == null) {
                response.setChunked(true);
            } else {
                response.putHeader(HttpHeaders.CONTENT_LENGTH, length);
            }
            String type = reply.getHeader(HttpHeaders.CONTENT_TYPE);
            if (type != null) {
                response.putHeader(HttpHeaders.CONTENT_TYPE, type);
            }
            if (type == null || !type.startsWith(EVENT_STREAM)) {
                // The head of a whole reply comes when its last token has been sampled.
                response.putHeader(
                        END_WEIGHT_VERSION, Integer.toString(to.newest().getAsInt()));
            }
            response.putHeader(ENGINE, to.engineId()).putHeader(WEIGHT_VERSION, Integer.toString(to.version()));
            reply.pipeTo(response).onComplete(piped -> end());
        }

        private void end() {
            if (ended.compareAndSet(false, true)) {
                core.execute(to.done());
            }
        }

        /** Engines have gone on generating for clients that were gone: they are told. */
        private void hungUp() {
            if (ended.get() || call.response().ended() || body.rid() == null) {
                return;
            }
            LOG.debug("a client hung up engineId={} rid={}", to.engineId(), body.rid());
            client.request(options(HttpMethod.POST, to.address(), "/abort_request"))
                    .compose(request -> request.putHeader(HttpHeaders.CONTENT_TYPE, "application/json")
                            .send(new JsonObject().put("rid", body.rid()).toBuffer()));
        }
    }

    private RequestOptions options(HttpMethod method, URI engine, String pathAndQuery) {
        RequestOptions options = new RequestOptions()
                .setMethod(method)
                .setAbsoluteURI(engine + pathAndQuery)
                .setIdleTimeout(config.timeout().toMillis());
        apiKey.ifPresent(key -> options.putHeader(HttpHeaders.AUTHORIZATION, "Bearer " + key));
        return options;
    }

    private static void copy(RoutingContext call, HttpClientRequest request, String header) {
        String value = call.request().getHeader(header);
        if (value != null) {
            request.putHeader(header, value);
        }
    }

    /** Asks any healthy engine: they are alike. */
    private void askOne(RoutingContext call) {
        withWorkers(workers -> {
            Optional<Worker> any = workers.stream().filter(Worker::healthy).findFirst();
            if (any.isEmpty()) {
                answer(call, 503, error(503, "no engine takes work now"));
                return;
            }
            client.request(options(
                            HttpMethod.GET, any.get().address(), call.request().uri()))
                    .compose(HttpClientRequest::send)
                    .compose(reply -> reply.body().map(content -> {
                        call.response()
                                .setStatusCode(reply.statusCode())
                                .putHeader(HttpHeaders.CONTENT_TYPE, "application/json")
                                .end(content);
                        return content;
                    }))
                    .onFailure(failure -> answer(call, 503, error(503, failure.getMessage())));
        });
    }

    private void ready(RoutingContext call) {
        withWorkers(workers -> call.response()
                .setStatusCode(workers.stream().anyMatch(Worker::healthy) ? 200 : 503)
                .end());
    }

    private void listWorkers(RoutingContext call) {
        withWorkers(workers -> {
            JsonArray list = new JsonArray();
            workers.forEach(worker -> list.add(json(worker)));
            JsonObject counts = new JsonObject()
                    .put("prefill_count", 0)
                    .put("decode_count", 0)
                    .put("regular_count", workers.size());
            answer(
                    call,
                    200,
                    new JsonObject()
                            .put("workers", list)
                            .put("total", workers.size())
                            .put("stats", counts));
        });
    }

    private void listUrls(RoutingContext call) {
        withWorkers(workers -> {
            JsonArray urls = new JsonArray();
            workers.forEach(worker -> urls.add(worker.address().toString()));
            answer(call, 200, new JsonObject().put("urls", urls));
        });
    }

    private void worker(RoutingContext call) {
        String id = call.pathParam("id");
        withWorkers(workers -> workers.stream()
                .filter(worker -> id(worker).equals(id))
                .findFirst()
                .ifPresentOrElse(
                        worker -> answer(call, 200, json(worker)),
                        () -> answer(
                                call,
                                404,
                                new JsonObject()
                                        .put("error", "there is no worker " + id)
                                        .put("code", "WORKER_NOT_FOUND"))));
    }

    private static JsonObject json(Worker worker) {
        return new JsonObject()
                .put("id", id(worker))
                .put("url", worker.address().toString())
                .put("model_id", "unknown")
                .put("priority", 50)
                .put("cost", 1.0)
                .put("worker_type", "regular")
                .put("is_healthy", worker.healthy())
                .put("load", worker.load())
                .put("connection_mode", "Http")
                .put("metadata", new JsonObject().put("engine_id", worker.engineId()));
    }

    private static String id(Worker worker) {
        return UUID.nameUUIDFromBytes(worker.engineId().getBytes(StandardCharsets.UTF_8))
                .toString();
    }

    private void addWorker(RoutingContext call) {
        JsonObject body =
                call.body().buffer() == null ? null : object(call.body().buffer());
        add(call, body == null ? null : body.getString("url"), 202);
    }

    private static @Nullable JsonObject object(Buffer body) {
        try {
            return body.toJsonObject();
        } catch (RuntimeException e) {
            return null;
        }
    }

    private void addWorkerByUrl(RoutingContext call) {
        add(call, call.request().getParam("url"), 200);
    }

    /** Engines come and go by the run's assignment: one of ours may be named again, no other is taken from outside. */
    private void add(RoutingContext call, @Nullable String url, int accepted) {
        withWorkers(workers -> workers.stream()
                .filter(worker -> worker.address().toString().equals(url))
                .findFirst()
                .ifPresentOrElse(
                        worker -> answer(
                                call,
                                accepted,
                                new JsonObject()
                                        .put("status", "accepted")
                                        .put("worker_id", id(worker))
                                        .put("url", url)
                                        .put("location", "/workers/" + id(worker))
                                        .put("message", "the engine is one of this instance already")),
                        () -> answer(
                                call,
                                403,
                                error(
                                        403,
                                        "engines are added by the run's assignment; " + url
                                                + " is none of this instance's"))));
    }

    private void refuseRemoval(RoutingContext call) {
        answer(call, 403, error(403, "engines are removed by the run's assignment alone"));
    }

    private void withWorkers(Consumer<List<Worker>> action) {
        Context context = Vertx.currentContext();
        instance.workers(workers -> context.runOnContext(any -> action.accept(workers)));
    }

    private static JsonObject error(int status, String message) {
        return new JsonObject()
                .put("object", "error")
                .put("message", message)
                .put("type", Integer.toString(status))
                .putNull("param")
                .put("code", status)
                .put("error", new JsonObject().put("message", message));
    }

    private static void answer(RoutingContext call, int status, JsonObject body) {
        if (!call.response().ended()
                && !call.response().headWritten()
                && !call.response().closed()) {
            call.response()
                    .setStatusCode(status)
                    .putHeader(HttpHeaders.CONTENT_TYPE, "application/json")
                    .end(body.toBuffer());
        }
    }
}
