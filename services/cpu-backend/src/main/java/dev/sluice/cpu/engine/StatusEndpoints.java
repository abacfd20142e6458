package dev.sluice.cpu.engine;

import static dev.sluice.cpu.engine.ControlEndpoints.waited;

import dev.sluice.cpu.http.Answer;
import dev.sluice.cpu.http.BodyException;
import dev.sluice.cpu.http.Call;
import dev.sluice.sglang.Loads;
import dev.sluice.sglang.ModelInfo;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/** What the engine tells about itself. */
final class StatusEndpoints {
    /** The version whose API this engine serves. */
    static final String VERSION = "0.5.15.post1";

    /** SGLang's SGLANG_HEALTH_CHECK_TIMEOUT. */
    private static final Duration HEALTH_TIMEOUT = Duration.ofSeconds(20);

    private static final Set<String> LOAD_SECTIONS =
            Set.of("core", "memory", "spec", "lora", "disagg", "queues", "all");

    private final Engine engine;
    private final Scheduler scheduler;
    private final Clock clock;
    private volatile boolean draining;

    StatusEndpoints(Engine engine, Clock clock) {
        this.engine = engine;
        this.scheduler = engine.scheduler();
        this.clock = clock;
    }

    /** From now on the engine says that it is unhealthy, so that nobody sends it more. */
    void drain() {
        draining = true;
    }

    boolean isDraining() {
        return draining;
    }

    /** Healthy means that the scheduler answered between two steps. */
    Answer health(Call call) throws Exception {
        if (draining) {
            return new Answer.Empty(503);
        }
        try {
            scheduler.between(() -> null).get(HEALTH_TIMEOUT.toMillis(), TimeUnit.MILLISECONDS);
            return new Answer.Empty(200);
        } catch (TimeoutException e) {
            return new Answer.Empty(503);
        }
    }

    Answer modelInfo(Call call) throws Exception {
        return Answer.ok(new ModelInfo(
                engine.modelPath(),
                engine.options().tokenizerPath().toString(),
                true,
                null,
                waited(scheduler.between(scheduler::weightVersion)),
                false,
                false,
                "glm4_moe_lite",
                List.of("Glm4MoeLiteForCausalLM")));
    }

    Answer serverInfo(Call call) throws Exception {
        EngineOptions options = engine.options();
        Figures figures = waited(scheduler.between(scheduler::figures));
        Map<String, @Nullable Object> info = new LinkedHashMap<>(options.flags());
        info.put("api_key", null);
        info.put("model_path", engine.modelPath());
        info.put("tokenizer_path", options.tokenizerPath().toString());
        info.put("served_model_name", options.servedModelName());
        info.put("context_length", engine.contextLength());
        info.put("max_running_requests", options.maxRunning());
        info.put("random_seed", options.seed());
        info.put("weight_version", waited(scheduler.between(scheduler::weightVersion)));
        if (options.draftSteps() > 0) {
            info.put("speculative_num_steps", options.draftSteps());
            info.put("speculative_eagle_topk", 1);
            info.put("speculative_num_draft_tokens", options.draftSteps() + 1);
        }
        info.put("max_total_num_tokens", figures.capacityTokens());
        info.put("max_req_input_len", engine.contextLength() - 1);
        info.put("internal_states", List.of(internalState(figures)));
        info.put("version", VERSION);
        info.put("engine", "sluice-cpu");
        info.put("kv_events", null);
        return Answer.ok(info);
    }

    private Map<String, @Nullable Object> internalState(Figures figures) {
        double gibibyte = 1 << 30;
        Map<String, @Nullable Object> state = new LinkedHashMap<>();
        state.put("last_gen_throughput", figures.throughput());
        state.put(
                "memory_usage",
                Map.of(
                        "weight",
                        engine.weights().parameters() * (double) Float.BYTES / gibibyte,
                        "kvcache",
                        engine.cacheBytes() / gibibyte,
                        "token_capacity",
                        figures.capacityTokens(),
                        "graph",
                        0));
        state.put("effective_max_running_requests_per_dp", engine.options().maxRunning());
        if (figures.averageAcceptLength() != null) {
            state.put("avg_spec_accept_length", figures.averageAcceptLength());
        }
        return state;
    }

    Answer loads(Call call) throws Exception {
        String include = call.parameter("include");
        for (String section : include == null ? new String[0] : include.split(",")) {
            if (!LOAD_SECTIONS.contains(section)) {
                throw new BodyException("include: " + section + " is none of " + LOAD_SECTIONS);
            }
        }
        Figures figures = waited(scheduler.between(scheduler::figures));
        int active = figures.running() + figures.waiting();
        Loads.Drafts drafts = figures.acceptLength() == null || figures.acceptRate() == null
                ? null
                : new Loads.Drafts(figures.acceptLength(), figures.acceptRate());
        Loads.Load load = new Loads.Load(
                0,
                figures.running(),
                figures.waiting() + figures.held(),
                figures.waitingTokens(),
                figures.usedTokens(),
                figures.usedTokens() + figures.waitingTokens(),
                figures.capacityTokens(),
                engine.options().maxRunning(),
                figures.tokenUsage(),
                figures.throughput(),
                figures.cacheHitRate(),
                (double) active / engine.options().maxRunning(),
                drafts);
        return Answer.ok(new Loads(Instant.now(clock).toString(), VERSION, List.of(load)));
    }

    /** The deprecated form of the loads. */
    Answer load(Call call) throws Exception {
        Figures figures = waited(scheduler.between(scheduler::figures));
        Map<String, Object> load = new LinkedHashMap<>();
        load.put("dp_rank", 0);
        load.put("num_reqs", figures.running() + figures.waiting() + figures.held());
        load.put("num_waiting_reqs", figures.waiting() + figures.held());
        load.put("num_tokens", figures.usedTokens());
        load.put("num_pending_tokens", figures.waitingTokens());
        load.put("ts_tic", clock.millis() / 1e3);
        return Answer.ok(List.of(load));
    }

    Answer models(Call call) {
        return Answer.ok(Map.of("object", "list", "data", List.of(model())));
    }

    Answer model(Call call) {
        String asked = call.variable("id");
        if (asked.equals(engine.options().servedModelName())) {
            return Answer.ok(model());
        }
        Map<String, Object> error = Map.of(
                "message",
                "The model '" + asked + "' does not exist",
                "type",
                "invalid_request_error",
                "param",
                "model",
                "code",
                "model_not_found");
        return new Answer.Json(404, Map.of("error", error));
    }

    private Map<String, @Nullable Object> model() {
        Map<String, @Nullable Object> model = new LinkedHashMap<>();
        model.put("id", engine.options().servedModelName());
        model.put("object", "model");
        model.put("created", clock.millis() / 1000);
        model.put("owned_by", "sglang");
        model.put("root", engine.options().servedModelName());
        model.put("parent", null);
        model.put("max_model_len", engine.contextLength());
        return model;
    }

    Answer metrics(Call call) throws Exception {
        if (!engine.options().metrics()) {
            return new Answer.Json(404, Map.of("detail", "Not Found"));
        }
        Figures figures = waited(scheduler.between(scheduler::figures));
        return new Answer.Text(
                200, "text/plain; version=0.0.4; charset=utf-8", MetricsText.of(figures, engine.options()));
    }
}
