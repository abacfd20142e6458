package dev.sluice.cpu.http;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.http.HttpCall;
import dev.sluice.http.HttpEndpoint;
import dev.sluice.http.HttpReply;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class JsonServerTest {
    private static final Duration DEADLINE = Duration.ofSeconds(10);

    private JsonServer server;
    private HttpEndpoint endpoint;

    record Greeting(String name) {}

    @BeforeEach
    void start() throws IOException {
        Routes routes = new Routes()
                .open("GET", "/health", call -> new Answer.Empty(200))
                .on(
                        "GET",
                        "/operations/{id}",
                        call -> Answer.ok(Map.of("id", call.variable("id"), "q", "" + call.parameter("q"))))
                .on(
                        "POST|PUT",
                        "/greet",
                        call -> Answer.ok(List.of(call.read(Greeting.class).name())))
                .on("POST", "/fail", call -> {
                    throw new IllegalStateException("broken");
                })
                .on(
                        "GET",
                        "/events",
                        call -> new Answer.Events(out -> out.write("data: 1\n\n".getBytes(StandardCharsets.UTF_8))));
        server = JsonServer.start(
                new JsonServer.Settings(new InetSocketAddress("127.0.0.1", 0), 1000, "secret"),
                routes,
                problem -> Answer.text(status(problem), problem.toString()));
        URI uri = URI.create("http://127.0.0.1:" + server.address().getPort());
        endpoint = HttpEndpoint.at(uri).withBearerToken("secret");
    }

    @AfterEach
    void stop() {
        server.close();
    }

    @Test
    void variablesAndParametersAreDecoded() {
        assertThat(get("/operations/a%20b?q=x%26y&z").text()).contains("\"id\":\"a b\"", "\"q\":\"x&y\"");
    }

    @Test
    void openRoutesNeedNoTokenAndTheOthersTheRightOne() {
        HttpEndpoint stranger = endpoint.withBearerToken("guess");

        assertThat(stranger.call(HttpCall.get("/health", DEADLINE)).status()).isEqualTo(200);
        assertThat(stranger.call(HttpCall.get("/operations/1", DEADLINE)).status())
                .isEqualTo(401);
        assertThat(stranger.withBearerToken(null)
                        .call(HttpCall.get("/nowhere", DEADLINE))
                        .status())
                .isEqualTo(401);
    }

    @Test
    void everyKindOfProblemIsTheOwnersToWord() {
        assertThat(get("/nowhere").status()).isEqualTo(404);
        assertThat(get("/greet").status()).isEqualTo(405);
        assertThat(post("/greet", Map.of("name", "x".repeat(1000))).status()).isEqualTo(413);
        assertThat(post("/greet", List.of(1)).text()).contains("must be a JSON object");
        assertThat(post("/greet", Map.of("name", List.of())).status()).isEqualTo(400);
        assertThat(post("/fail", Map.of()).text()).contains("broken");
    }

    @Test
    void aConnectionServesOnAfterAProblem() {
        post("/greet", Map.of("name", "x".repeat(1000)));

        assertThat(post("/greet", Map.of("name", "ann")).text()).isEqualTo("[\"ann\"]");
    }

    @Test
    void eventsAreStreamed() {
        assertThat(get("/events").text()).isEqualTo("data: 1\n\n");
    }

    private HttpReply get(String path) {
        return endpoint.call(HttpCall.get(path, DEADLINE));
    }

    private HttpReply post(String path, Object body) {
        return endpoint.call(HttpCall.post(path, body, DEADLINE));
    }

    private static int status(Problem problem) {
        return switch (problem) {
            case Problem.Unauthorised unauthorised -> 401;
            case Problem.UnknownPath path -> 404;
            case Problem.UnknownMethod method -> 405;
            case Problem.BodyTooLarge large -> 413;
            case Problem.Busy busy -> 503;
            case Problem.BodyNotUnderstood body -> 400;
            case Problem.HandlerFailed failed -> 500;
        };
    }
}
