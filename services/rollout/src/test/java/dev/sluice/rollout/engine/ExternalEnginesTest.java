package dev.sluice.rollout.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.net.httpserver.HttpServer;
import dev.sluice.rollout.assignment.Share;
import dev.sluice.rollout.assignment.Share.EngineRecipe;
import dev.sluice.sglang.GenerateRequest;
import dev.sluice.sglang.SamplingParams;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.OptionalInt;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Engines and routers of somebody else, as far as HTTP goes; ExternalEngineIT has a whole engine. */
class ExternalEnginesTest {
    private static final Share SHARE =
            new Share("run", 1, 1, List.of(), new EngineRecipe("/models/tiny", List.of(), 8, Duration.ofSeconds(60)));

    private final List<String> calls = new CopyOnWriteArrayList<>();
    private HttpServer server;
    private URI address;

    @BeforeEach
    void start() throws IOException {
        server = HttpServer.create(new InetSocketAddress("127.0.0.1", 0), 0);
        server.start();
        address = URI.create("http://127.0.0.1:" + server.getAddress().getPort());
        answer("/continue_generation", 200, "{}");
        answer("/abort_request", 200, "");
    }

    @AfterEach
    void stop() {
        server.stop(0);
    }

    @Test
    void anAddressServesOneSlotAtATimeAndIsContinuedFirstAndAbortedLast() throws IOException {
        // Given
        ExternalEngines engines = new ExternalEngines(List.of(address), null);
        // When
        EngineProcess engine = engines.launch("a", SHARE, List.of());
        // Then
        assertThat(engine.port()).isEqualTo(address.getPort());
        assertThat(engine.adopted()).isTrue();
        assertThatThrownBy(() -> engines.launch("b", SHARE, List.of())).hasMessageContaining("all 1 addresses");
        engine.stop(Duration.ZERO);
        assertThat(calls).containsExactly("/continue_generation", "/abort_request");
        assertThat(engine.exited()).isCompleted();
        assertThat(engines.launch("c", SHARE, List.of())).isNotNull();
    }

    @Test
    void anAddressThatDoesNotAnswerIsTriedAfterTheOthers() throws IOException {
        // Given
        ExternalEngines engines = new ExternalEngines(List.of(URI.create("http://127.0.0.1:1"), address), null);
        // When / Then
        assertThatThrownBy(() -> engines.launch("a", SHARE, List.of()))
                .hasMessageContaining("the external engine does not answer")
                .hasMessageContaining("127.0.0.1:1");
        assertThat(engines.launch("b", SHARE, List.of()).port()).isEqualTo(address.getPort());
    }

    @Test
    void addressesThatCannotBeEnginesAreRefusedAllAtOnce() {
        List<URI> addresses = List.of(address, URI.create("ftp://10.0.0.7:30000"), address);

        assertThatThrownBy(() -> new ExternalEngines(addresses, null))
                .hasMessageContaining("'ftp://10.0.0.7:30000' is no http or https URL")
                .hasMessageContaining("comes twice");
    }

    @Test
    void workersAreReadFromRoutersOfBothGenerations() throws IOException {
        // Given
        answer("/list_workers", 200, "{\"urls\":[\"http://b:1\",\"http://a:1\"]}");
        ExternalRouter router = new ExternalRouter(address, null);
        assertThat(router.workers()).containsExactly(URI.create("http://a:1"), URI.create("http://b:1"));
        // When
        answer(
                "/workers",
                200,
                "{\"workers\":[{\"id\":\"x\",\"url\":\"http://c:1\",\"is_healthy\":true}],\"total\":1}");
        // Then
        assertThat(router.workers()).containsExactly(URI.create("http://c:1"));
    }

    @Test
    void aRouterAndItsWorkersAreOneEngineThatControlReachesDirectly() throws IOException {
        // Given
        answer("/workers", 200, "{\"workers\":[{\"url\":\"" + address + "\"}]}");
        answer("/health", 200, "");
        answer("/server_info", 200, "{\"version\":\"0.5.15\",\"tp_size\":4,\"pp_size\":2}");
        EngineProcess router = new ExternalRouter(address, null).launch("a", SHARE, List.of());
        // When
        router.api().abort("run/0#0.1.1/");
        // Then
        assertThat(router.members()).containsExactly(new EngineProcess.Member(address, OptionalInt.of(8)));
        assertThat(router.api().healthy(Duration.ofSeconds(5))).isTrue();
        assertThat(calls).contains("/continue_generation", "/abort_request", "/health");
    }

    @Test
    void samplesOfAGroupGoThroughARouterUnderOneRoutingKey() throws IOException {
        // Given
        answer("/workers", 200, "{\"workers\":[{\"url\":\"" + address + "\"}]}");
        answer("/health", 200, "");
        List<String> keys = Collections.synchronizedList(new ArrayList<>());
        server.createContext("/generate", exchange -> {
            keys.add(exchange.getRequestHeaders().getFirst("X-SMG-Routing-Key"));
            exchange.getRequestBody().readAllBytes();
            byte[] reply = "{\"output_ids\":[],\"meta_info\":{\"id\":\"r\",\"completion_tokens\":0}}"
                    .getBytes(StandardCharsets.UTF_8);
            exchange.sendResponseHeaders(200, reply.length);
            exchange.getResponseBody().write(reply);
            exchange.close();
        });
        EngineProcess router = new ExternalRouter(address, null).launch("a", SHARE, List.of());
        var params = SamplingParams.of(1, 1);
        // When
        router.api()
                .generate(
                        List.of(
                                GenerateRequest.ofTokens("run/7#0.1.1/0", new int[] {1}, params),
                                GenerateRequest.ofTokens("run/7#0.1.1/1", new int[] {1}, params)),
                        Duration.ofSeconds(5));
        // Then
        assertThat(keys).containsExactly("run/7", "run/7");
    }

    @Test
    void aRouterWhoseWorkersAreOthersThanAtItsAdoptionIsNotHealthy() throws IOException {
        // Given
        answer("/workers", 200, "{\"workers\":[{\"url\":\"" + address + "\"}]}");
        answer("/health", 200, "");
        EngineProcess router = new ExternalRouter(address, null).launch("a", SHARE, List.of());
        // When
        server.removeContext("/workers");
        answer("/workers", 200, "{\"workers\":[{\"url\":\"" + address + "\"},{\"url\":\"http://new:1\"}]}");
        // Then
        assertThat(router.api().healthy(Duration.ofSeconds(5))).isFalse();
    }

    @Test
    void aRouterThatListsNoneOrOtherThanHttpAddressesIsNotUsed() throws IOException {
        // Given
        answer("/workers", 200, "{\"workers\":[]}");
        ExternalRouter router = new ExternalRouter(address, null);
        assertThatThrownBy(router::workers).hasMessageContaining("has no worker");
        // When
        server.removeContext("/workers");
        answer("/workers", 200, "{\"workers\":[{\"url\":\"file:///etc/passwd\"}]}");
        // Then
        assertThatThrownBy(router::workers).hasMessageContaining("file:///etc/passwd");
    }

    private void answer(String path, int status, String body) {
        server.createContext(path, exchange -> {
            calls.add(exchange.getRequestURI().getPath());
            exchange.getRequestBody().readAllBytes();
            byte[] bytes = body.getBytes(StandardCharsets.UTF_8);
            exchange.sendResponseHeaders(status, bytes.length == 0 ? -1 : bytes.length);
            exchange.getResponseBody().write(bytes);
            exchange.close();
        });
    }
}
