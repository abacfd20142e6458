package dev.sluice.cli.conformance;

import static dev.sluice.cli.conformance.Check.Client.SLIME;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * What slime asks of engines that it did not start itself.
 *
 * @see <a href="https://github.com/THUDM/slime/blob/main/slime/rollout/sglang_rollout.py">sglang_rollout.py</a>
 */
final class SlimeChecks {
    private static final List<Check> CHECKS = List.of(
            Check.of(SLIME, "server-info", SlimeChecks::serverInfo),
            Check.of(SLIME, "model-info", SlimeChecks::modelInfo),
            Check.of(
                    SLIME,
                    "health-generate",
                    target -> target.get("/health_generate").status(200)),
            Check.of(SLIME, "generate", SlimeChecks::generate),
            Check.of(SLIME, "generate-stream", SlimeChecks::stream),
            Check.of(SLIME, "sampling-seed", SlimeChecks::seed),
            Check.of(SLIME, "speculation-figures", SlimeChecks::speculation),
            Check.of(SLIME, "loads", SlimeChecks::loads),
            Check.of(SLIME, "metrics", SlimeChecks::metrics),
            Check.of(SLIME, "get-weight-version", SlimeChecks::weightVersion),
            Check.disruptive(SLIME, "pause-and-continue", SlimeChecks::pause),
            Check.disruptive(
                    SLIME,
                    "flush-cache",
                    target -> target.get("/flush_cache?timeout=20").status(200)),
            Check.disruptive(SLIME, "update-weights-from-disk", SlimeChecks::updateWeights),
            Check.disruptive(SLIME, "update-refused", SlimeChecks::updateRefused));

    private SlimeChecks() {}

    static List<Check> all() {
        return CHECKS;
    }

    private static void serverInfo(Target target) {
        target.get("/server_info")
                .status(200)
                .integer("/tp_size", "/pp_size", "/ep_size", "/dp_size")
                .equal("/disaggregation_mode", "null")
                .that("/enable_memory_saver", "true or false", JsonNode::isBoolean)
                .text("/version");
    }

    private static void modelInfo(Target target) {
        target.get("/model_info")
                .status(200)
                .text("/model_path", "/weight_version")
                .equal("/is_generation", true);
    }

    private static void generate(Target target) {
        Exchange exchange = target.post("/generate", """
                {"input_ids":[2,3,4,5],"return_logprob":true,"sampling_params":{"temperature":1.0,"top_p":1.0,"top_k":-1,
                 "max_new_tokens":6,"stop":null,"stop_token_ids":null,"skip_special_tokens":true,"no_stop_trim":true,
                 "spaces_between_special_tokens":false}}""").status(200);
        if (!target.info("skip_tokenizer_init").asBoolean(false)) {
            exchange.text("/text");
        }
        exchange.text("/meta_info/weight_version", "/meta_info/id")
                .equal("/meta_info/prompt_tokens", Target.PROMPT.size())
                .integer("/meta_info/completion_tokens", "/meta_info/cached_tokens")
                .that(
                        "/meta_info/finish_reason/type",
                        "length, stop or abort",
                        type -> Set.of("length", "stop", "abort").contains(type.asText()));
        logprobs(exchange);
    }

    /** One triple a generated token, with its own id. */
    static void logprobs(Exchange exchange) {
        JsonNode ids = exchange.at("/output_ids");
        JsonNode logprobs = exchange.at("/meta_info/output_token_logprobs");
        exchange.require(logprobs.isArray(), "/meta_info/output_token_logprobs is a list");
        exchange.require(
                logprobs.size() == exchange.at("/meta_info/completion_tokens").asInt(-1),
                "as many output_token_logprobs as completion_tokens");
        for (int i = 0; i < logprobs.size(); i++) {
            JsonNode triple = logprobs.get(i);
            exchange.require(
                    triple.size() == 3
                            && triple.get(0).isNumber()
                            && triple.get(0).asDouble() <= 0,
                    "output_token_logprobs of [logprob, id, text]");
            exchange.require(
                    triple.get(1).asInt() == ids.path(i).asInt(-1), "the ids of output_token_logprobs are output_ids");
        }
    }

    private static void stream(Target target) {
        ObjectNode body = Target.generate(Map.of("max_new_tokens", 5, "temperature", 0, "ignore_eos", true));
        Exchange exchange = target.post("/generate", body.put("stream", true)).status(200);
        List<JsonNode> frames = exchange.frames();
        boolean deltas = target.info("incremental_streaming_output").asBoolean(false);
        int tokens = 0;
        for (JsonNode frame : frames) {
            int now = frame.path("output_ids").size();
            exchange.require(deltas || now >= tokens, "frames that repeat everything so far");
            tokens = deltas ? tokens + now : now;
        }
        exchange.require(tokens == 5, "5 tokens in the last frame");
        exchange.require(
                frames.getLast().at("/meta_info/finish_reason/type").asText().equals("length"),
                "a last frame with finish_reason length");
    }

    private static void seed(Target target) {
        ObjectNode body =
                Target.generate(Map.of("max_new_tokens", 8, "temperature", 1, "ignore_eos", true, "sampling_seed", 7));
        JsonNode first = target.post("/generate", body).status(200).at("/output_ids");
        Exchange again = target.post("/generate", body).status(200);
        boolean heeds = target.info("enable_deterministic_inference").asBoolean(false)
                || target.info("engine").asText().equals("sluice-cpu");
        if (!heeds && !again.at("/output_ids").equals(first)) {
            throw new Check.Skipped("the server heeds sampling_seed only with --enable-deterministic-inference");
        }
        again.require(again.at("/output_ids").equals(first), "the tokens of the same sampling_seed: " + first);
    }

    private static void speculation(Target target) {
        if (target.info("speculative_algorithm").asText("null").equals("null")) {
            throw new Check.Skipped("the server runs without --speculative-algorithm");
        }
        Exchange exchange = target.post(
                        "/generate",
                        Target.generate(Map.of("max_new_tokens", 12, "temperature", 0, "ignore_eos", true)))
                .status(200)
                .integer("/meta_info/spec_verify_ct");
        JsonNode meta = exchange.at("/meta_info");
        exchange.require(
                meta.has("spec_num_correct_drafts") || meta.has("spec_accept_token_num"),
                "accepted drafts as spec_num_correct_drafts (since 0.5.12) or spec_accept_token_num");
        exchange.require(
                meta.has("spec_num_proposed_drafts") || meta.has("spec_draft_token_num"),
                "proposed drafts as spec_num_proposed_drafts (since 0.5.12) or spec_draft_token_num");
    }

    private static void loads(Target target) {
        Exchange exchange = target.get("/v1/loads?include=core");
        if (exchange.reply().status() == 404) {
            throw new Check.Skipped("/v1/loads came with SGLang 0.5.8");
        }
        exchange.status(200)
                .that("/loads", "a list with an entry a rank", loads -> loads.isArray() && !loads.isEmpty());
        exchange.integer("/loads/0/dp_rank", "/loads/0/num_running_reqs", "/loads/0/num_waiting_reqs");
    }

    private static void metrics(Target target) {
        if (!target.info("enable_metrics").asBoolean(false)) {
            throw new Check.Skipped("the server runs without --enable-metrics");
        }
        Exchange exchange = target.get("/metrics").status(200);
        for (String name : List.of("num_running_reqs", "num_queue_reqs", "token_usage", "gen_throughput")) {
            exchange.require(exchange.reply().text().contains("sglang:" + name), "a metric sglang:" + name);
        }
    }

    private static void weightVersion(Target target) {
        Exchange exchange = target.get("/get_weight_version");
        if (exchange.reply().status() == 404) {
            throw new Check.Skipped("stock SGLang since 0.5.8 lacks it; slime's patch brings it back");
        }
        exchange.status(200).text("/weight_version");
    }

    private static void pause(Target target) {
        target.post("/pause_generation", Map.of()).status(200).equal("/status", "ok");
        try {
            ObjectNode body = Target.generate(Map.of("max_new_tokens", 2));
            var held = target.begin("/generate", body);
            target.post("/continue_generation", Map.of()).status(200).equal("/status", "ok");
            held.join().status(200);
        } finally {
            target.post("/continue_generation", Map.of());
        }
    }

    private static void updateWeights(Target target) {
        Exchange before = target.get("/model_info").status(200);
        String label = before.at("/weight_version").asText();
        String fresh = Target.freshName();
        target.post(
                        "/update_weights_from_disk",
                        Map.of("model_path", before.at("/model_path").asText(), "weight_version", fresh))
                .status(200)
                .equal("/success", true)
                .text("/message");
        Exchange after = target.post("/generate", Target.generate(Map.of("max_new_tokens", 1)));
        target.post("/update_weight_version", Map.of("new_version", label, "abort_all_requests", false));
        after.status(200).equal("/meta_info/weight_version", fresh);
    }

    private static void updateRefused(Target target) {
        target.post("/update_weights_from_disk", Map.of("model_path", "/no/such/" + Target.freshName()))
                .status(400)
                .equal("/success", false)
                .text("/message");
        target.post("/generate", Target.generate(Map.of("max_new_tokens", 1))).status(200);
    }
}
