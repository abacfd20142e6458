package dev.sluice.cpu.engine;

import dev.sluice.cpu.http.Answer;
import dev.sluice.cpu.http.Call;
import java.time.Clock;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** {@code /v1/models}: the one model that is served. */
final class ModelsEndpoint {
    private final Engine engine;
    private final Clock clock;

    ModelsEndpoint(Engine engine, Clock clock) {
        this.engine = engine;
        this.clock = clock;
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
}
