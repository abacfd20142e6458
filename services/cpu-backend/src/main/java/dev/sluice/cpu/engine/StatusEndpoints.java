package dev.sluice.cpu.engine;

import dev.sluice.cpu.http.Answer;
import dev.sluice.cpu.http.Call;
import dev.sluice.sglang.ModelInfo;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/** What the engine tells about itself. */
final class StatusEndpoints {
    /** The version whose API this engine serves. */
    static final String VERSION = "0.5.15.post1";

    /** SGLang's SGLANG_HEALTH_CHECK_TIMEOUT. */
    private static final Duration HEALTH_TIMEOUT = Duration.ofSeconds(20);

    private final Engine engine;
    private final Ranks ranks;
    private volatile boolean draining;

    StatusEndpoints(Engine engine) {
        this.engine = engine;
        this.ranks = engine.ranks();
    }

    /** From now on the engine says that it is unhealthy, so that nobody sends it more. */
    void drain() {
        draining = true;
    }

    boolean isDraining() {
        return draining;
    }

    /** Healthy means that every scheduler answered between two steps. */
    Answer health(Call call) throws Exception {
        if (draining) {
            return new Answer.Empty(503);
        }
        try {
            List<CompletableFuture<Object>> answers =
                    ranks.all().stream().map(rank -> rank.between(Object::new)).toList();
            CompletableFuture.allOf(answers.toArray(CompletableFuture[]::new))
                    .get(HEALTH_TIMEOUT.toMillis(), TimeUnit.MILLISECONDS);
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
                ranks.weightVersion(),
                false,
                false,
                "glm4_moe_lite",
                List.of("Glm4MoeLiteForCausalLM")));
    }

    Answer serverInfo(Call call) throws Exception {
        EngineOptions options = engine.options();
        List<Figures> figures = ranks.figures();
        Map<String, @Nullable Object> info = new LinkedHashMap<>(options.flags());
        info.put("api_key", null);
        info.put("model_path", engine.modelPath());
        info.put("tokenizer_path", options.tokenizerPath().toString());
        info.put("served_model_name", options.servedModelName());
        info.put("max_running_requests", options.maxRunning());
        info.put("random_seed", options.seed());
        info.put("weight_version", ranks.weightVersion());
        if (options.draftSteps() > 0) {
            info.put("speculative_num_steps", options.draftSteps());
            info.put("speculative_eagle_topk", 1);
            info.put("speculative_num_draft_tokens", options.draftSteps() + 1);
        }
        info.put("enable_dp_attention", options.dataParallel().dividesLimits());
        info.put("max_total_num_tokens", figures.getFirst().capacityTokens());
        info.put("max_req_input_len", engine.contextLength() - 1);
        info.put("internal_states", figures.stream().map(this::internalState).toList());
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
        state.put("effective_max_running_requests_per_dp", engine.options().rows());
        if (figures.averageAcceptLength() != null) {
            state.put("avg_spec_accept_length", figures.averageAcceptLength());
        }
        return state;
    }

    Answer metrics(Call call) throws Exception {
        if (!engine.options().metrics()) {
            return new Answer.Json(404, Map.of("detail", "Not Found"));
        }
        String text = MetricsText.of(ranks.figures(), engine.options(), engine.startup());
        return new Answer.Text(200, "text/plain; version=0.0.4; charset=utf-8", text);
    }
}
