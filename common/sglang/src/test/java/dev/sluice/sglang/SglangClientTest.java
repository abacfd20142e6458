package dev.sluice.sglang;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.sun.net.httpserver.HttpServer;
import dev.sluice.http.HttpCallException;
import dev.sluice.http.Json;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The client against answers as SGLang gives them; cpu-backend tests it against a whole engine. */
class SglangClientTest {
    private static final Duration DEADLINE = Duration.ofSeconds(10);

    private final Map<String, String> bodies = new ConcurrentHashMap<>();
    private HttpServer server;
    private SglangClient client;

    @BeforeEach
    void start() throws IOException {
        server = HttpServer.create(new InetSocketAddress("127.0.0.1", 0), 0);
        server.start();
        client = new SglangClient(
                URI.create("http://127.0.0.1:" + server.getAddress().getPort()), null);
    }

    @AfterEach
    void stop() {
        server.stop(0);
    }

    @Test
    void anOlderEngineIsAskedByTheOlderPath() {
        answer("/get_model_info", 200, "{\"model_path\":\"/m\",\"is_generation\":true,\"weight_version\":\"3\"}");

        assertThat(client.modelInfo().weightVersion()).isEqualTo("3");
    }

    @Test
    void aBusyEngineDoesNotFlushAndABrokenOneIsAnError() {
        answer("/flush_cache", 400, "busy");
        assertThat(client.flushCache(Duration.ofSeconds(2))).isFalse();

        server.removeContext("/flush_cache");
        answer("/flush_cache", 500, "Internal Server Error");
        assertThatThrownBy(() -> client.flushCache(Duration.ZERO))
                .isInstanceOf(HttpCallException.class)
                .hasMessageContaining("flush_cache?timeout=0.0: status 500");
    }

    @Test
    void aRefusedWeightUpdateIsAnAnswerAndAnotherErrorIsNot() {
        answer("/update_weights_from_disk", 400, "{\"success\":false,\"message\":\"no such file\"}");
        assertThat(client.updateWeightsFromDisk(WeightUpdate.of("/w", "2"), DEADLINE))
                .isEqualTo(new WeightUpdate.Outcome(false, "no such file", null));

        server.removeContext("/update_weights_from_disk");
        answer("/update_weights_from_disk", 400, "{\"object\":\"error\",\"message\":\"bad\"}");
        assertThatThrownBy(() -> client.updateWeightsFromDisk(WeightUpdate.of("/w", "2"), DEADLINE))
                .hasMessageContaining("status 400");
    }

    @Test
    void aBatchIsOneCallWithListsForWhatDiffers() throws IOException {
        answer("/generate", 200, "[%s,%s]".formatted(sample("a"), sample("b")));

        List<GenerateResponse> samples = client.generateAll(
                List.of(
                        GenerateRequest.ofTokens("a", new int[] {1}, SamplingParams.of(3, 1)),
                        GenerateRequest.ofTokens("b", new int[] {2, 3}, SamplingParams.of(4, 0.5))),
                DEADLINE);

        JsonNode body = Json.MAPPER.readTree(bodies.get("/generate"));
        assertThat(samples).extracting(sample -> sample.meta().id()).containsExactly("a", "b");
        assertThat(body.get("rid").toString()).isEqualTo("[\"a\",\"b\"]");
        assertThat(body.get("input_ids").toString()).isEqualTo("[[1],[2,3]]");
        assertThat(body.get("sampling_params").get(1).get("temperature").asDouble())
                .isEqualTo(0.5);
        assertThat(body.get("return_logprob").asBoolean()).isTrue();
    }

    @Test
    void labellingWeightsNeverAbortsAnybody() throws IOException {
        answer("/update_weight_version", 200, "{\"success\":true,\"message\":\"\",\"new_version\":\"5\"}");

        client.updateWeightVersion("5");

        // SGLang's default is true.
        assertThat(Json.MAPPER
                        .readTree(bodies.get("/update_weight_version"))
                        .get("abort_all_requests")
                        .asBoolean())
                .isFalse();
    }

    @Test
    void anEngineThatStillLoadsIsNotHealthy() {
        server.stop(0);

        assertThat(client.health(DEADLINE)).isFalse();
    }

    @Test
    void anEmptyPrefixWouldAbortNothingAndIsRefused() {
        assertThatThrownBy(() -> client.abort("")).isInstanceOf(IllegalArgumentException.class);
    }

    private static String sample(String rid) {
        return "{\"text\":\"\",\"output_ids\":[],\"meta_info\":{\"id\":\"" + rid
                + "\",\"finish_reason\":{\"type\":\"length\",\"length\":0},\"completion_tokens\":0,\"weight_version\":\"1\"}}";
    }

    private void answer(String path, int status, String body) {
        byte[] bytes = body.getBytes(StandardCharsets.UTF_8);
        server.createContext(path, exchange -> {
            bodies.put(path, new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8));
            exchange.sendResponseHeaders(status, bytes.length);
            exchange.getResponseBody().write(bytes);
            exchange.close();
        });
    }
}
