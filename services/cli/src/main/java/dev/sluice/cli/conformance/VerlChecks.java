package dev.sluice.cli.conformance;

import static dev.sluice.cli.conformance.Check.Client.VERL;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.databind.util.RawValue;
import java.util.List;
import java.util.Map;

/**
 * What verl's HTTP engine asks: batches, nulls, tags of memory.
 *
 * @see <a href="https://github.com/volcengine/verl/tree/main/verl/workers/rollout/sglang_rollout">http_server_engine.py</a>
 */
final class VerlChecks {
    private static final List<Check> CHECKS = List.of(
            Check.of(VERL, "generate-with-nulls", VerlChecks::nulls),
            Check.of(VERL, "batch-in-order", VerlChecks::batch),
            Check.of(VERL, "several-samples", VerlChecks::several),
            Check.of(VERL, "prompt-logprobs", VerlChecks::promptLogprobs),
            Check.of(VERL, "top-logprobs", VerlChecks::topLogprobs),
            Check.of(VERL, "no-prompt", target -> refused(target, Map.of("sampling_params", Map.of()))),
            Check.of(VERL, "bad-top-p", target -> refused(target, Target.generate(Map.of("top_p", 0)))),
            Check.of(VERL, "bad-temperature", target -> refused(target, Target.generate(Map.of("temperature", -1)))),
            Check.of(VERL, "too-long", VerlChecks::tooLong),
            Check.of(
                    VERL,
                    "not-json",
                    target -> target.post("/generate", (Object) new RawValue("{nonsense"))
                            .status(400)),
            Check.of(
                    VERL,
                    "unknown-sampling-key",
                    target -> target.post("/generate", Target.generate(Map.of("no_such_parameter", 1)))
                            .status(400, 500)),
            Check.disruptive(
                    VERL,
                    "abort-unknown",
                    target -> target.post("/abort_request", Map.of("rid", Target.freshName(), "abort_all", false))
                            .status(200)),
            Check.disruptive(VERL, "release-and-resume", VerlChecks::memory),
            Check.disruptive(VERL, "weights-checksum", VerlChecks::checksum));

    private VerlChecks() {}

    static List<Check> all() {
        return CHECKS;
    }

    private static void nulls(Target target) {
        Exchange exchange = target.post("/generate", """
                {"input_ids":[2,3,4,5],"return_logprob":true,"logprob_start_len":-1,"top_logprobs_num":0,
                 "sampling_params":{"max_new_tokens":4,"temperature":null,"top_p":null,"top_k":null,"min_p":null,
                 "presence_penalty":0.0,"frequency_penalty":0.0,"repetition_penalty":1.0,"min_new_tokens":null,
                 "ignore_eos":null,"stop":null,"stop_token_ids":null,"logit_bias":null}}""").status(200);
        exchange.that("/meta_info/input_token_logprobs", "an empty list", list -> list.isArray() && list.isEmpty());
        SlimeChecks.logprobs(exchange);
    }

    private static void batch(Target target) {
        ObjectNode body = Target.generate(Map.of("max_new_tokens", 2, "ignore_eos", true));
        ArrayNode prompts = body.putArray("input_ids");
        for (int length = 1; length <= 3; length++) {
            ArrayNode prompt = prompts.addArray();
            Target.PROMPT.subList(0, length).forEach(prompt::add);
        }
        Exchange exchange = target.post("/generate", body).status(200);
        exchange.require(exchange.json().isArray() && exchange.json().size() == 3, "a list of 3 replies");
        for (int i = 0; i < 3; i++) {
            exchange.equal("/" + i + "/meta_info/prompt_tokens", i + 1);
        }
    }

    private static void several(Target target) {
        Exchange exchange = target.post(
                        "/generate", Target.generate(Map.of("max_new_tokens", 3, "n", 3, "ignore_eos", true)))
                .status(200);
        exchange.require(exchange.json().isArray() && exchange.json().size() == 3, "a list of 3 samples");
        for (int i = 0; i < 3; i++) {
            exchange.equal("/" + i + "/meta_info/completion_tokens", 3);
        }
    }

    private static void promptLogprobs(Target target) {
        ObjectNode body = Target.generate(Map.of("max_new_tokens", 1));
        Exchange exchange =
                target.post("/generate", body.put("logprob_start_len", 0)).status(200);
        exchange.that(
                "/meta_info/input_token_logprobs",
                "one a prompt token, the first null",
                list -> list.size() == Target.PROMPT.size()
                        && list.at("/0/0").isNull()
                        && list.at("/1/0").isNumber());
    }

    private static void topLogprobs(Target target) {
        ObjectNode body = Target.generate(Map.of("max_new_tokens", 2, "ignore_eos", true, "temperature", 0));
        Exchange exchange =
                target.post("/generate", body.put("top_logprobs_num", 2)).status(200);
        exchange.that(
                "/meta_info/output_top_logprobs/0",
                "two alternatives, the best first",
                top -> top.size() == 2
                        && top.at("/0/0").asDouble() >= top.at("/1/0").asDouble());
        exchange.require(
                exchange.at("/meta_info/output_top_logprobs/0/0/1").equals(exchange.at("/output_ids/0")),
                "a greedy token is the best alternative");
    }

    private static void tooLong(Target target) {
        int context = target.contextLength();
        if (context == 0 || context > 100_000) {
            throw new Check.Skipped("the server tells no context length that a small request exceeds");
        }
        if (target.info("allow_auto_truncate").asBoolean(false)) {
            throw new Check.Skipped("the server runs with --allow-auto-truncate");
        }
        ObjectNode body = Target.generate(Map.of("max_new_tokens", 1));
        ArrayNode prompt = body.putArray("input_ids");
        for (int i = 0; i <= context; i++) {
            prompt.add(2);
        }
        refused(target, body);
    }

    private static void refused(Target target, Object body) {
        target.post("/generate", body).status(400).text("/error/message");
    }

    private static void memory(Target target) {
        if (!target.info("enable_memory_saver").asBoolean(false)) {
            throw new Check.Skipped("the server runs without --enable-memory-saver");
        }
        Exchange flushed = target.get("/flush_cache?timeout=20");
        if (flushed.reply().status() != 200) {
            throw new Check.Skipped("the server is not idle, and releasing memory then would end it");
        }
        Map<String, ?> tags = Map.of("tags", List.of("kv_cache"));
        target.post("/release_memory_occupation", tags).status(200);
        target.post("/resume_memory_occupation", tags).status(200);
        target.post("/generate", Target.generate(Map.of("max_new_tokens", 1))).status(200);
    }

    private static void checksum(Target target) {
        Exchange exchange = target.post("/weights_checker", Map.of("action", "checksum"));
        if (exchange.reply().status() == 404 || !exchange.json().has("per_engine_checksum")) {
            throw new Check.Skipped("the action checksum came with SGLang 0.5.13");
        }
        JsonNode first = exchange.status(200).equal("/success", true).at("/per_engine_checksum");
        Exchange again = target.post("/weights_checker", Map.of("action", "checksum"));
        again.require(again.at("/per_engine_checksum").equals(first), "the same sum as before: " + first);
    }
}
