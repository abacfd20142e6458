package dev.sluice.rollout;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.sun.net.httpserver.HttpServer;
import dev.sluice.events.GroupEvent.GroupAbandoned;
import dev.sluice.events.GroupEvent.GroupSampled;
import dev.sluice.events.GroupEvent.Verdict;
import dev.sluice.events.GroupTask.GroupRequested;
import dev.sluice.events.GroupTask.Prompt;
import dev.sluice.events.GroupTask.Sampling;
import dev.sluice.events.Rollout.Hooks;
import dev.sluice.events.Rollout.PartialRollout;
import dev.sluice.http.Json;
import dev.sluice.rollout.hook.OwnFunctions;
import dev.sluice.rollout.task.DirectRequests.Placement;
import dev.sluice.rollout.task.RoutedRequest;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Functions of one's own behind a real HTTP server, for engines in a test's hands. */
class HooksTest {
    @TempDir
    Path folder;

    private final List<JsonNode> asked = new ArrayList<>();
    private HttpServer server;
    private String url;
    private Consumer<JsonNode> whileAsked = body -> {};
    private String answer = "{}";
    private FakeRun run;

    @BeforeEach
    void start() throws IOException {
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.createContext("/", exchange -> {
            JsonNode body = Json.MAPPER.readTree(exchange.getRequestBody().readAllBytes());
            asked.add(body);
            // The core waits for this answer, so nobody else is on its thread.
            whileAsked.accept(body);
            byte[] reply = answer.getBytes(StandardCharsets.UTF_8);
            exchange.sendResponseHeaders(200, reply.length);
            exchange.getResponseBody().write(reply);
            exchange.close();
        });
        server.start();
        url = "http://127.0.0.1:" + server.getAddress().getPort() + "/hook";
        run = new FakeRun(folder, new OwnFunctions(List.of(url), 4, () -> "http://router:1")).serve();
    }

    @AfterEach
    void stop() {
        server.stop(0);
    }

    @Test
    void aFilterSeesTheScoredGroupAndItsVerdictStandsInTheResult() {
        // Given
        answer = "{\"keep\": false, \"reason\": \"too easy!\", \"keep_when_insufficient\": true}";
        // When
        run.request(task(new Hooks(null, url, 5)));
        // Then
        assertThat(sampled().verdict()).isEqualTo(new Verdict(false, "too_easy_", true));
        assertThat(asked).singleElement().satisfies(body -> {
            assertThat(body.path("samples")).hasSize(FakeRun.SAMPLES);
            assertThat(body.at("/samples/0/reward").asDouble()).isEqualTo(1);
            assertThat(body.at("/samples/0/response").asText()).isNotEmpty();
            assertThat(body.at("/samples/0/label").asText()).isEqualTo("01");
        });
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {"[]", "{\"keep\": \"yes\"}", "no JSON"})
    void aFilterThatLiesKeepsTheGroup(String lie) {
        // Given
        answer = lie;
        // When
        run.request(task(new Hooks(null, url, 5)));
        // Then
        assertThat(sampled().verdict()).isNull();
        assertThat(sampled().samples()).hasSize(FakeRun.SAMPLES);
    }

    @Test
    void anAddressThatTheInstanceDoesNotAllowIsNotCalled() {
        // When
        run.request(task(new Hooks(url.replace("127.0.0.1", "localhost"), null, 5)));
        // Then
        assertThat(asked).isEmpty();
        assertThat(run.log.of(GroupAbandoned.class).getFirst().reason())
                .contains("is not covered by this instance's sluice.rollout.reward-urls");
    }

    @Test
    void aFunctionGetsSlimesSampleAndTheRoutersAddress() {
        // When
        run.request(task(new Hooks(url, null, 5)));
        // Then
        assertThat(asked).hasSize(FakeRun.SAMPLES);
        JsonNode body = asked.getFirst();
        assertThat(body.at("/sample/prompt").asText()).isEqualTo("1+1=");
        assertThat(body.at("/sample/tokens")).hasSize(4);
        assertThat(body.at("/sample/status").asText()).isEqualTo("pending");
        assertThat(body.at("/sampling_params/max_new_tokens").asInt()).isEqualTo(8);
        assertThat(body.at("/sampling_params/custom_params/sluice_session").asText())
                .startsWith("run:");
        assertThat(body.path("router_url").asText()).isEqualTo("http://router:1");
        assertThat(body.path("evaluation").asBoolean()).isFalse();
        assertThat(run.engines.newest().requests)
                .as("engines are asked by the function alone")
                .isEmpty();
    }

    @Test
    void aFunctionThatAnswersNothingUsefulFailsItsSamplesWithTheReason() {
        // When
        run.request(task(new Hooks(url, null, 5)));
        // Then
        assertThat(run.log.of(GroupAbandoned.class).getFirst().reason())
                .contains("all samples failed", url, "it answered no list of samples; return one Sample");
    }

    @Test
    void theRouterKeepsAFunctionsRequestsWithinItsTasksBound() {
        // Given
        List<Placement> placements = new ArrayList<>();
        whileAsked = body -> placements.add(place(session(body)));
        // When
        run.request(task(new Hooks(url, null, 5), 0));
        run.request(task(new Hooks(url, null, 5), 3));
        // Then
        assertThat(placements.getFirst())
                .isInstanceOfSatisfying(
                        Placement.To.class, to -> assertThat(to.version()).isZero());
        assertThat(placements.getLast())
                .isInstanceOfSatisfying(
                        Placement.WrongVersion.class,
                        wrong -> assertThat(wrong.reason())
                                .isEqualTo("the request needs weight version 3 or newer; engines hold [0]"));
    }

    @Test
    void theRouterRefusesASampleThatNobodyWaitsForAndOneThatNeverWas() {
        // When
        run.request(task(new Hooks(url, null, 5), 0));
        // Then
        assertThat(place(session(asked.getFirst()))).isInstanceOf(Placement.Over.class);
        assertThat(place("run:guessed")).isInstanceOf(Placement.Over.class);
        assertThat(place(null)).as("other clients go on").isInstanceOf(Placement.To.class);
    }

    private Placement place(@Nullable String session) {
        return run.run.direct().place(new RoutedRequest(null, null, null, session, 1));
    }

    private static String session(JsonNode body) {
        return body.at("/sampling_params/custom_params/sluice_session").asText();
    }

    private GroupSampled sampled() {
        return run.log.of(GroupSampled.class).getFirst();
    }

    private GroupRequested task(Hooks hooks) {
        return task(hooks, 0);
    }

    private GroupRequested task(Hooks hooks, int minVersion) {
        return new GroupRequested(
                "run",
                1,
                "run/" + minVersion,
                minVersion,
                0,
                0,
                "rollout-1",
                Prompt.of("1+1="),
                "01",
                "exact",
                FakeRun.SAMPLES,
                new Sampling(1, 1, -1, 8, 42),
                minVersion,
                null,
                run.core.now().plus(Duration.ofHours(1)),
                PartialRollout.RESTART,
                List.of(),
                null,
                null,
                null,
                hooks);
    }
}
