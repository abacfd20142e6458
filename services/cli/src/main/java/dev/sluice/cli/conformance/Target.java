package dev.sluice.cli.conformance;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.sluice.cli.CommandFailure;
import dev.sluice.http.HttpCall;
import dev.sluice.http.HttpCallException;
import dev.sluice.http.HttpEndpoint;
import dev.sluice.http.HttpReply;
import dev.sluice.http.Json;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/** The server that is checked. Every call has a deadline and a bound on its reply. */
final class Target {
    private static final Duration DEADLINE = Duration.ofSeconds(60);
    /** SGLang compiles kernels at their first use. */
    private static final Duration WARM_DEADLINE = Duration.ofMinutes(10);

    private static final long REPLY_LIMIT_BYTES = 64L << 20;

    /** Token ids that every vocabulary has. */
    static final List<Integer> PROMPT = List.of(2, 3, 4, 5);

    private final HttpEndpoint server;
    private final JsonNode info;
    private final int contextLength;

    private Target(HttpEndpoint server, JsonNode info, int contextLength) {
        this.server = server;
        this.info = info;
        this.contextLength = contextLength;
    }

    /**
     * Asks a server what it is.
     *
     * @throws HttpCallException if nobody answers
     */
    static Target of(HttpEndpoint endpoint) {
        HttpEndpoint server = endpoint.withReplyLimit(REPLY_LIMIT_BYTES);
        HttpReply info = server.call(HttpCall.get("/server_info", DEADLINE));
        if (info.status() == 401) {
            throw CommandFailure.failed(server.baseUri() + " asks for a key that was not given, or for another; give it"
                    + " with --api-key");
        }
        HttpReply models = server.call(HttpCall.get("/v1/models", DEADLINE));
        return new Target(
                server, tree(info), tree(models).at("/data/0/max_model_len").asInt(0));
    }

    /** A reply's JSON; empty where it is none, which the check of its path says. */
    private static JsonNode tree(HttpReply reply) {
        try {
            return reply.tree();
        } catch (IOException e) {
            return Json.MAPPER.createObjectNode();
        }
    }

    /**
     * Has some tokens sampled, so that what a fresh server compiles at its first requests is compiled before the checks.
     *
     * @throws HttpCallException if no reply comes in time
     */
    void warm() {
        server.call(HttpCall.post("/generate", generate(Map.of("max_new_tokens", 8, "temperature", 1)), WARM_DEADLINE));
    }

    /** What the server says of itself; missing where it says nothing. */
    JsonNode info(String field) {
        return info.path(field);
    }

    Exchange get(String path) {
        return call(HttpCall.get(path, DEADLINE));
    }

    /** A GET with a JSON body, as AReaL's client sends. */
    Exchange getWithBody(String path, Object body) {
        return call(new HttpCall("GET", path, body, DEADLINE));
    }

    Exchange post(String path, Object body) {
        return call(HttpCall.post(path, body, DEADLINE));
    }

    /** Posts a body that is written as JSON text. */
    Exchange post(String path, String body) {
        try {
            return post(path, Json.MAPPER.readTree(body));
        } catch (IOException e) {
            throw new IllegalStateException("a check's own body is not JSON: " + body, e);
        }
    }

    /** The same while something else happens. */
    CompletableFuture<Exchange> begin(String path, Object body) {
        return CompletableFuture.supplyAsync(
                () -> post(path, body), task -> Thread.ofVirtual().start(task));
    }

    /** A body of {@code /generate} with the tokens of {@link #PROMPT}, its log-probabilities wanted. */
    static ObjectNode generate(Map<String, ?> sampling) {
        ObjectNode body = Json.MAPPER.createObjectNode();
        ArrayNode prompt = body.putArray("input_ids");
        PROMPT.forEach(prompt::add);
        body.set("sampling_params", Json.MAPPER.valueToTree(sampling));
        return body.put("return_logprob", true);
    }

    /** A name that nobody else has. */
    static String freshName() {
        return "conformance-" + UUID.randomUUID().toString().substring(0, 8);
    }

    /** Tokens that an output may have beside {@link #PROMPT}, at most this many. */
    int roomFor(int tokens) {
        return contextLength == 0 ? tokens : Math.min(tokens, contextLength - PROMPT.size() - reservedTokens() - 1);
    }

    /**
     * Tokens of prompt and output together; 0 where the server does not tell. {@code context_length} of
     * {@code /server_info} is what it was started with, mostly nothing.
     */
    int contextLength() {
        return contextLength;
    }

    /** Tokens of each context that SGLang keeps free for drafts. */
    private int reservedTokens() {
        return Math.max(
                info("speculative_eagle_topk").asInt(0)
                        * info("speculative_num_steps").asInt(0),
                info("speculative_num_draft_tokens").asInt(0));
    }

    /** The served model's name; null where the server does not tell. */
    @Nullable
    String modelName() {
        String name = info("served_model_name").asText("");
        return name.isEmpty() ? null : name;
    }

    private Exchange call(HttpCall call) {
        try {
            return new Exchange(call, server.call(call));
        } catch (HttpCallException e) {
            if (e.reason() == HttpCallException.Reason.INTERRUPTED) {
                throw e;
            }
            throw new Check.Mismatch(Exchange.sent(call), "a reply", String.valueOf(e.getMessage()));
        }
    }
}
