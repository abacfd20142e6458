package dev.sluice.cli.conformance;

import static dev.sluice.cli.conformance.Check.Client.AREAL;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;

/**
 * What AReaL asks: bodies on GET, penalties, and generation that is interrupted and goes on.
 *
 * @see <a href="https://github.com/inclusionAI/AReaL/blob/main/areal/engine/sglang_remote.py">sglang_remote.py</a>
 */
final class ArealChecks {
    private static final int TRIES = 8;
    private static final long HEAD_START_MILLIS = 20;

    private static final List<Check> CHECKS = List.of(
            Check.of(
                    AREAL,
                    "health-with-a-body",
                    target -> target.getWithBody("/health", Map.of()).status(200)),
            Check.of(AREAL, "generate", ArealChecks::generate),
            Check.of(AREAL, "exact-length", ArealChecks::exactLength),
            Check.of(AREAL, "stop-token", ArealChecks::stopToken),
            Check.of(AREAL, "goes-on-from-its-own-tokens", ArealChecks::goesOn),
            Check.of(AREAL, "frequency-penalty", ArealChecks::penalty),
            Check.disruptive(AREAL, "aborted-reply", ArealChecks::aborted),
            Check.disruptive(AREAL, "abort-in-queue", ArealChecks::abortedInQueue),
            Check.disruptive(AREAL, "update-weights-aborting", ArealChecks::updateAborting));

    private ArealChecks() {}

    static List<Check> all() {
        return CHECKS;
    }

    private static void generate(Target target) {
        Exchange exchange = target.post("/generate", """
                {"input_ids":[2,3,4,5],"image_data":[],"sampling_params":{"top_p":1.0,"top_k":100000000,"max_new_tokens":5,
                 "temperature":1.0,"stop_token_ids":[],"ignore_eos":false,"skip_special_tokens":true,
                 "frequency_penalty":0.0},"return_logprob":true,"stream":false}""").status(200);
        exchange.text("/meta_info/finish_reason/type");
        SlimeChecks.logprobs(exchange);
    }

    private static void exactLength(Target target) {
        target.post("/generate", Target.generate(Map.of("max_new_tokens", 7, "ignore_eos", true, "temperature", 1)))
                .status(200)
                .equal("/meta_info/completion_tokens", 7)
                .equal("/meta_info/finish_reason/type", "length");
    }

    private static void stopToken(Target target) {
        Map<String, Object> sampling = new HashMap<>(Map.of("max_new_tokens", 6, "temperature", 0));
        int first = target.post("/generate", Target.generate(sampling))
                .status(200)
                .at("/output_ids/0")
                .asInt();
        sampling.put("stop_token_ids", List.of(first));
        target.post("/generate", Target.generate(sampling))
                .status(200)
                .equal("/meta_info/finish_reason/type", "stop")
                .equal("/meta_info/finish_reason/matched", first)
                .equal("/output_ids/0", first)
                .equal("/meta_info/completion_tokens", 1);
    }

    /** What AReaL does after an interruption: the tokens so far become part of the prompt. */
    private static void goesOn(Target target) {
        Map<String, ?> sampling = Map.of("max_new_tokens", 3, "temperature", 0, "ignore_eos", true);
        ObjectNode body = Target.generate(sampling);
        Exchange first = target.post("/generate", body).status(200);
        first.at("/output_ids").forEach(body.withArray("input_ids")::add);
        target.post("/generate", body)
                .status(200)
                .equal("/meta_info/prompt_tokens", Target.PROMPT.size() + 3)
                .equal("/meta_info/completion_tokens", 3);
    }

    private static void penalty(Target target) {
        Exchange exchange = target.post(
                        "/generate",
                        Target.generate(Map.of("max_new_tokens", 5, "frequency_penalty", 1.5, "temperature", 1)))
                .status(200);
        SlimeChecks.logprobs(exchange);
    }

    /** Stops a request in the middle; a fast server may be done before it can be stopped. */
    private static void aborted(Target target) {
        for (int i = 0; i < TRIES; i++) {
            String rid = Target.freshName();
            CompletableFuture<Exchange> running = target.begin("/generate", longRequest(target, rid + "-whole"));
            try {
                pauseForAMoment();
                target.post("/pause_generation", Map.of("mode", "in_place")).status(200);
                target.post("/abort_request", Map.of("rid", rid)).status(200);
            } finally {
                target.post("/continue_generation", Map.of());
            }
            Exchange reply = running.join().status(200);
            if (reply.at("/meta_info/finish_reason/type").asText().equals("abort")) {
                reply.that("/meta_info/finish_reason/message", "a string", message -> message.isTextual());
                SlimeChecks.logprobs(reply);
                return;
            }
        }
        throw new Check.Skipped(TRIES + " requests were done before they could be aborted");
    }

    private static void abortedInQueue(Target target) {
        String rid = Target.freshName();
        target.post("/pause_generation", Map.of("mode", "in_place")).status(200);
        CompletableFuture<Exchange> held;
        try {
            held = target.begin("/generate", longRequest(target, rid));
            pauseForAMoment();
        } finally {
            target.post("/continue_generation", Map.of());
        }
        target.post("/abort_request", Map.of("rid", rid)).status(200);
        held.join()
                .status(200)
                .that("/meta_info/output_token_logprobs", "a list, empty or not", list -> list.isArray());
    }

    private static void updateAborting(Target target) {
        String path = target.get("/model_info").status(200).at("/model_path").asText();
        target.post("/update_weights_from_disk", Map.of("model_path", path, "abort_all_requests", true))
                .status(200)
                .equal("/success", true);
    }

    private static ObjectNode longRequest(Target target, String rid) {
        return Target.generate(Map.of("max_new_tokens", target.roomFor(2000), "ignore_eos", true))
                .put("rid", rid);
    }

    private static void pauseForAMoment() {
        try {
            Thread.sleep(HEAD_START_MILLIS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
