package dev.sluice.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** A server that does some things wrong fails the checks of those things and no others. */
class ConformanceCommandTest {
    private static final Map<String, String> REPLIES = Map.of(
            "/server_info", """
                    {"tp_size":1,"pp_size":1,"ep_size":1,"dp_size":1,"disaggregation_mode":"null","version":"0.5.9",
                     "enable_memory_saver":false,"enable_metrics":false}""",
            // A number where clients compare strings.
            "/model_info", "{\"model_path\":\"m\",\"weight_version\":3,\"is_generation\":true}",
            // One log-probability too few, and no stream where one was asked for; and a sequence that clears the
            // screen.
            "/generate", """
                    {"text":"\\u001b[2J","output_ids":[7,8],"meta_info":{"id":"a","finish_reason":{"type":"length"},
                     "prompt_tokens":4,"cached_tokens":0,"completion_tokens":2,"weight_version":"v",
                     "output_token_logprobs":[[-0.1,7,null]]}}""",
            "/v1/loads", "{\"loads\":[{\"dp_rank\":0,\"num_running_reqs\":0,\"num_waiting_reqs\":0}]}");

    private final List<String> calls = new CopyOnWriteArrayList<>();
    private final List<String> keys = new CopyOnWriteArrayList<>();
    private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
    private HttpServer server;
    private String url;

    @BeforeEach
    void start() throws IOException {
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.createContext("/", this::serve);
        server.setExecutor(threads);
        server.start();
        url = "http://127.0.0.1:" + server.getAddress().getPort();
    }

    @AfterEach
    void stop() {
        server.stop(0);
        threads.shutdownNow();
    }

    @Test
    void whatIsWrongIsNamedWithWhatWasSentExpectedAndCame() throws IOException {
        CommandOutcome outcome = CommandOutcome.of("conformance", url, "--only", "slime", "--json");

        JsonNode json = outcome.json();
        assertThat(outcome.exitCode()).isEqualTo(ExitCode.FAILED);
        assertThat(names(json, "failed"))
                .containsExactly("model-info", "health-generate", "generate", "generate-stream");
        assertThat(names(json, "passed")).containsExactly("server-info", "sampling-seed", "loads");
        assertThat(names(json, "skipped"))
                .containsExactly(
                        "speculation-figures",
                        "metrics",
                        "get-weight-version",
                        "pause-and-continue",
                        "flush-cache",
                        "update-weights-from-disk",
                        "update-refused");
        JsonNode generate = json.at("/checks/3");
        assertThat(generate.get("sent").asText()).startsWith("POST /generate {\"input_ids\":[2,3,4,5]");
        assertThat(generate.get("expected").asText()).isEqualTo("as many output_token_logprobs as completion_tokens");
        assertThat(generate.get("came").asText()).startsWith("status 200: {\"text\"");
        assertThat(json.get("version").asText()).isEqualTo("0.5.9");
    }

    @Test
    void aServerWithOtherUsersIsOnlyAskedForAFewTokens() {
        CommandOutcome.of("conformance", url);

        assertThat(calls)
                .isNotEmpty()
                .noneMatch(path -> path.contains("abort")
                        || path.contains("pause")
                        || path.contains("continue")
                        || path.contains("flush")
                        || path.contains("update")
                        || path.contains("memory")
                        || path.contains("checker"));
    }

    @Test
    void repliesCannotMoveTheCursorAndTheKeyIsSentAndNotShown() {
        CommandOutcome outcome = CommandOutcome.of("conformance", url, "--api-key", "s3cret");

        assertThat(outcome.out())
                .doesNotContain("\u001b")
                .doesNotContain("s3cret")
                .contains("expected", "failed");
        assertThat(keys).containsOnly("Bearer s3cret");
    }

    @Test
    void mistakesAndAbsentServersAreToldApart() {
        CommandOutcome unknown = CommandOutcome.of("conformance", url, "--only", "slime,vllm");
        CommandOutcome address = CommandOutcome.of("conformance", "ftp://here");
        CommandOutcome key = CommandOutcome.of("conformance", url, "--api-key", "wrong");
        server.stop(0);
        CommandOutcome absent = CommandOutcome.of("conformance", url);

        assertThat(unknown.exitCode()).isEqualTo(ExitCode.USAGE);
        assertThat(unknown.err()).contains("\"vllm\"", "slime, verl, areal, openai");
        assertThat(address.exitCode()).isEqualTo(ExitCode.USAGE);
        assertThat(key.exitCode()).isEqualTo(ExitCode.FAILED);
        assertThat(key.err()).contains("--api-key");
        assertThat(absent.exitCode()).isEqualTo(ExitCode.FAILED);
        assertThat(absent.err()).contains("connection refused");
    }

    private void serve(HttpExchange exchange) throws IOException {
        try (exchange) {
            String path = exchange.getRequestURI().getPath();
            calls.add(path);
            keys.add(String.valueOf(exchange.getRequestHeaders().getFirst("Authorization")));
            exchange.getRequestBody().readAllBytes();
            String reply = REPLIES.get(path);
            byte[] body = (reply == null ? "{}" : reply).getBytes(StandardCharsets.UTF_8);
            boolean stranger =
                    "Bearer wrong".equals(exchange.getRequestHeaders().getFirst("Authorization"));
            exchange.sendResponseHeaders(
                    stranger ? 401 : reply != null ? 200 : path.startsWith("/health") ? 503 : 404, body.length);
            exchange.getResponseBody().write(body);
        }
    }

    private static List<String> names(JsonNode json, String outcome) {
        List<String> names = new ArrayList<>();
        for (JsonNode check : json.get("checks")) {
            if (check.get("outcome").asText().equals(outcome)) {
                names.add(check.get("name").asText());
            }
        }
        return names;
    }
}
