package dev.sluice.cpu.engine;

import com.fasterxml.jackson.databind.JsonNode;
import dev.sluice.cpu.http.Answer;
import dev.sluice.cpu.http.BodyException;
import dev.sluice.cpu.http.Call;
import dev.sluice.cpu.http.Routes;
import dev.sluice.http.Json;
import dev.sluice.sglang.WeightUpdate;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Calls that mean little to this engine, answered so that a client which makes them goes on or learns why not. */
final class PoliteEndpoints {
    private static final String NO_TORCH_GROUP =
            "distributed updates need a torch backend; use update_weights_from_disk";

    /** What SGLang lets be changed while it serves. */
    private static final Set<String> CHANGEABLE = Set.of(
            "pp_max_micro_batch_size", "speculative_accept_threshold_single", "speculative_accept_threshold_acc");

    private final Ranks ranks;

    PoliteEndpoints(Ranks ranks) {
        this.ranks = ranks;
    }

    void addTo(Routes routes) {
        routes.on("POST", "/init_weights_update_group", call -> refused(NO_TORCH_GROUP))
                .on("POST", "/update_weights_from_distributed", call -> refused(NO_TORCH_GROUP))
                .on("POST", "/update_weights_from_tensor", call -> refused(NO_TORCH_GROUP))
                .on("POST", "/update_weights_from_ipc", call -> refused(NO_TORCH_GROUP))
                .on(
                        "POST",
                        "/destroy_weights_update_group",
                        call -> refused("The group to be destroyed does not exist."))
                .on("POST|PUT", "/set_internal_state", this::setInternalState)
                .on("GET|POST", "/start_profile", call -> Answer.text(200, "Start profiling.\n"))
                .on(
                        "GET|POST",
                        "/stop_profile",
                        call -> Answer.text(200, "Stop profiling. This will take some time.\n"))
                .on(
                        "GET|POST",
                        "/freeze_gc",
                        call -> Answer.text(200, "Garbage collection is the engine's own affair.\n"))
                .on("POST", "/configure_logging", call -> new Answer.Empty(200))
                .on("POST", "/load_lora_adapter", call -> refused("this engine has no LoRA adapters"))
                .on("POST", "/unload_lora_adapter", call -> refused("this engine has no LoRA adapters"));
    }

    /** Changes nothing, because nothing that may be changed acts here, but begins the average of accepted lengths anew. */
    private Answer setInternalState(Call call) throws Exception {
        JsonNode asked = call.object().path("server_args");
        if (!asked.isObject()) {
            throw new BodyException("server_args: Field required");
        }
        for (Map.Entry<String, JsonNode> field : asked.properties()) {
            boolean threshold = field.getKey().startsWith("speculative_accept_threshold");
            if (!CHANGEABLE.contains(field.getKey())
                    || (threshold && field.getValue().asDouble() != 1)) {
                return new Answer.Json(
                        200, states(Map.of("updated", false, "server_args", Json.MAPPER.createObjectNode())));
            }
        }
        ranks.each(rank -> rank.between(rank::restartAverages));
        return Answer.ok(states(Map.of("updated", true, "server_args", asked)));
    }

    private List<?> states(Map<String, ?> state) {
        return Collections.nCopies(ranks.count(), state);
    }

    private static Answer refused(String message) {
        return new Answer.Json(400, new WeightUpdate.Outcome(false, message, null));
    }
}
