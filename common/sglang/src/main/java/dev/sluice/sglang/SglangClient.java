package dev.sluice.sglang;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.sluice.http.HttpCall;
import dev.sluice.http.HttpCallException;
import dev.sluice.http.HttpEndpoint;
import dev.sluice.http.HttpReply;
import dev.sluice.http.Json;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * One SGLang engine, over its HTTP API. Thread-safe; every call blocks until its deadline at the latest and throws
 * {@link HttpCallException} where the engine gave no usable answer.
 *
 * @see <a href="https://github.com/sgl-project/sglang/blob/v0.5.15.post1/python/sglang/srt/entrypoints/http_server.py">
 *     http_server.py</a>
 */
public final class SglangClient {
    private static final Duration DEFAULT_CONTROL_DEADLINE = Duration.ofSeconds(30);

    /** As sglang-router names it. */
    private static final String ROUTING_KEY = "X-SMG-Routing-Key";

    private static final String END_OF_STREAM = "[DONE]";

    private final HttpEndpoint engine;
    private final Duration controlDeadline;

    /** A client whose control calls end after 30 s. */
    public SglangClient(URI baseUri, @Nullable String apiKey) {
        this(HttpEndpoint.at(baseUri).withBearerToken(apiKey), DEFAULT_CONTROL_DEADLINE);
    }

    /**
     * A client over an endpoint with its own token and limits.
     *
     * @param controlDeadline of the calls that take no deadline of their own; above 25 s, because {@code /health} may take 20 s
     */
    public SglangClient(HttpEndpoint engine, Duration controlDeadline) {
        this.engine = engine;
        this.controlDeadline = controlDeadline;
    }

    /** The same for the requests of one session, which a router that hashes by its key sends to one engine. */
    public SglangClient ofSession(String key) {
        return new SglangClient(engine.withHeader(ROUTING_KEY, key), controlDeadline);
    }

    public URI baseUri() {
        return engine.baseUri();
    }

    /** Generates one sample; with {@code stream} unset or false. */
    public GenerateResponse generate(GenerateRequest request, Duration deadline) {
        requireWhole(request);
        return engine.json(HttpCall.post("/generate", request, deadline), GenerateResponse.class);
    }

    /** Generates {@code n} samples of one prompt ({@code sampling_params.n} above 1). */
    public List<GenerateResponse> generateSeveral(GenerateRequest request, Duration deadline) {
        requireWhole(request);
        return Arrays.asList(engine.json(HttpCall.post("/generate", request, deadline), GenerateResponse[].class));
    }

    /**
     * Generates all requests as one batch; replies come together, in the order of the requests.
     *
     * @param requests all with {@code inputIds}; rid, prompt and sampling may differ, the other fields are those of the first
     */
    public List<GenerateResponse> generateAll(List<GenerateRequest> requests, Duration deadline) {
        requests.forEach(SglangClient::requireWhole);
        HttpCall call = HttpCall.post("/generate", batch(requests), deadline);
        List<GenerateResponse> replies = Arrays.asList(engine.json(call, GenerateResponse[].class));
        if (replies.size() != requests.size()) {
            throw new IllegalStateException("the engine at " + baseUri() + " answered a batch of " + requests.size()
                    + " requests with " + replies.size() + " samples");
        }
        return replies;
    }

    /**
     * Generates all requests as one batch and reads them while they grow; returns when all have ended.
     *
     * @param requests as for {@link #generateAll}
     * @param samples gets what comes, in the order of the requests; keeps what had come where this call fails
     * @throws HttpCallException with the status that a frame says too where the engine refuses a request
     */
    public void stream(List<GenerateRequest> requests, StreamedSamples samples, Duration deadline) {
        // A router does not understand a batch, not even one of one.
        ObjectNode body = requests.size() == 1 ? Json.MAPPER.valueToTree(requests.getFirst()) : batch(requests);
        body.put("stream", true);
        HttpCall call = HttpCall.post("/generate", body, deadline);
        engine.events(call, data -> {
            if (data.equals(END_OF_STREAM)) {
                return;
            }
            HttpReply frame = new HttpReply(200, data.getBytes(StandardCharsets.UTF_8));
            JsonNode error = engine.read(call, frame, JsonNode.class).path("error");
            if (error.isObject()) {
                // The stream's own status is 200 by then.
                engine.requireSuccess(call, new HttpReply(error.path("code").asInt(500), frame.body()));
            }
            String objection = samples.add(engine.read(call, frame, GenerateResponse.class));
            if (objection != null) {
                throw engine.notUnderstood(call, objection);
            }
        });
        if (!samples.finished()) {
            throw engine.notUnderstood(call, "the stream ended before its samples had");
        }
    }

    /** Whether {@code /health} answers 200 by the deadline; false too while the engine loads (connection refused). */
    public boolean health(Duration deadline) {
        try {
            return engine.call(HttpCall.get("/health", deadline)).isSuccess();
        } catch (HttpCallException e) {
            if (e.reason() == HttpCallException.Reason.INTERRUPTED) {
                throw e;
            }
            return false;
        }
    }

    public ModelInfo modelInfo() {
        return read("/model_info", "/get_model_info", ModelInfo.class);
    }

    public ServerInfo serverInfo() {
        return read("/server_info", "/get_server_info", ServerInfo.class);
    }

    /** All of {@code /server_info}, as it came. */
    public JsonNode serverInfoTree() {
        return read("/server_info", "/get_server_info", JsonNode.class);
    }

    public Loads loads() {
        return loads(controlDeadline);
    }

    /** What the engine is doing. Before SGLang 0.5.8 there is no such call (404). */
    public Loads loads(Duration deadline) {
        return engine.json(HttpCall.get("/v1/loads?include=core,spec", deadline), Loads.class);
    }

    /** Prometheus text; the engine must run with {@code --enable-metrics}. */
    public String metrics() {
        return engine.require(HttpCall.get("/metrics", controlDeadline)).text();
    }

    /**
     * Drops the prefix cache, waiting up to {@code timeout} for the engine to be idle.
     *
     * @return false where requests still run or wait; abort them and try again a bounded number of times
     */
    public boolean flushCache(Duration timeout) {
        double seconds = timeout.toMillis() / 1000.0;
        HttpCall call = HttpCall.get("/flush_cache?timeout=" + seconds, timeout.plus(controlDeadline));
        HttpReply reply = engine.call(call);
        if (reply.status() == 400) {
            return false;
        }
        engine.requireSuccess(call, reply);
        return true;
    }

    /** Stops generation; from then on new {@code /generate} calls wait without an answer until it is continued. */
    public void pauseGeneration(PauseMode mode, Duration deadline) {
        engine.require(HttpCall.post("/pause_generation", Map.of("mode", mode), deadline));
    }

    public void continueGeneration() {
        engine.require(HttpCall.post("/continue_generation", Map.of(), controlDeadline));
    }

    /** Aborts every request whose rid begins with {@code ridPrefix}; an unknown one is no error. */
    public void abort(String ridPrefix) {
        if (ridPrefix.isEmpty()) {
            throw new IllegalArgumentException("an empty rid aborts nothing; use abortAll");
        }
        engine.require(HttpCall.post("/abort_request", Map.of("rid", ridPrefix), controlDeadline));
    }

    public void abortAll() {
        engine.require(HttpCall.post("/abort_request", Map.of("abort_all", true), controlDeadline));
    }

    /** Loads weights from a directory that the engine can read. The outcome says whether it did: do not serve if not. */
    public WeightUpdate.Outcome updateWeightsFromDisk(WeightUpdate update, Duration deadline) {
        return outcome("/update_weights_from_disk", update, WeightUpdate.Outcome.class, deadline);
    }

    /** Changes the label of the weights alone; running requests go on. */
    public void updateWeightVersion(String newVersion) {
        // SGLang's default aborts everything that runs.
        Map<String, Object> body = Map.of("new_version", newVersion, "abort_all_requests", false);
        engine.require(HttpCall.post("/update_weight_version", body, controlDeadline));
    }

    public WeightsChecksum weightsChecksum(Duration deadline) {
        return outcome("/weights_checker", Map.of("action", "checksum"), WeightsChecksum.class, deadline);
    }

    /** Gives memory back; the engine must be idle and flushed, otherwise a stock engine dies. */
    public void releaseMemory(Set<MemoryTag> tags, Duration deadline) {
        engine.require(HttpCall.post("/release_memory_occupation", Map.of("tags", tags), deadline));
    }

    /** Takes memory again; only tags that were released, otherwise a stock engine dies. */
    public void resumeMemory(Set<MemoryTag> tags, Duration deadline) {
        engine.require(HttpCall.post("/resume_memory_occupation", Map.of("tags", tags), deadline));
    }

    private <T> T read(String path, String pathBefore056, Class<T> type) {
        try {
            return engine.json(HttpCall.get(path, controlDeadline), type);
        } catch (HttpCallException e) {
            if (e.status() != 404) {
                throw e;
            }
            return engine.json(HttpCall.get(pathBefore056, controlDeadline), type);
        }
    }

    /** A 400 of these calls carries {success: false, message}: an answer, not a failure of the call. */
    private <T> T outcome(String path, Object body, Class<T> type, Duration deadline) {
        HttpCall call = HttpCall.post(path, body, deadline);
        HttpReply reply = engine.call(call);
        boolean refused = reply.status() == 400 && reply.text().contains("\"success\"");
        return engine.read(call, refused ? reply : engine.requireSuccess(call, reply), type);
    }

    private static void requireWhole(GenerateRequest request) {
        if (Boolean.TRUE.equals(request.stream())) {
            throw new IllegalArgumentException("this client reads whole replies; leave stream unset");
        }
    }

    private static ObjectNode batch(List<GenerateRequest> requests) {
        ObjectNode body = Json.MAPPER.valueToTree(requests.get(0));
        ArrayNode rids = Json.MAPPER.createArrayNode();
        ArrayNode prompts = Json.MAPPER.createArrayNode();
        ArrayNode sampling = Json.MAPPER.createArrayNode();
        for (GenerateRequest request : requests) {
            rids.add(request.rid());
            prompts.addPOJO(request.inputIds());
            sampling.addPOJO(request.samplingParams() == null ? SamplingParams.defaults() : request.samplingParams());
        }
        body.set("rid", rids);
        body.set("input_ids", prompts);
        body.set("sampling_params", sampling);
        return body;
    }
}
