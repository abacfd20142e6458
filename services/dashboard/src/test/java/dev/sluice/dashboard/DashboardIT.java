package dev.sluice.dashboard;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.sluice.events.CheckpointEvent.CheckpointConverted;
import dev.sluice.events.CheckpointEvent.ConversionProgressed;
import dev.sluice.events.CheckpointEvent.Direction;
import dev.sluice.events.EngineEvent.PhaseReached;
import dev.sluice.events.Event;
import dev.sluice.events.EventJson;
import dev.sluice.events.MetricPoint;
import dev.sluice.events.RunEvent.RolloutShare;
import dev.sluice.events.RunEvent.RunAssigned;
import dev.sluice.events.RunEvent.RunPlanned;
import dev.sluice.events.RunEvent.RunStarted;
import dev.sluice.events.RunEvent.TrainerShare;
import dev.sluice.events.WeightEvent.Phase;
import dev.sluice.events.WeightEvent.PhaseChanged;
import dev.sluice.testkit.KafkaBroker;
import io.quarkus.test.common.http.TestHTTPResource;
import io.quarkus.test.junit.QuarkusTest;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(KafkaBroker.class)
@QuarkusTest
class DashboardIT {
    private static final Path GOLDEN = Path.of(System.getProperty("sluice.root"), "common/events/src/test/golden");

    @TestHTTPResource("/")
    URI address;

    @Test
    void aRunIsShownAsItsTopicsTell(KafkaBroker kafka) throws Exception {
        String run = kafka.newRunId("shown");

        kafka.publish(of(run, RunPlanned.class));
        kafka.publish(new RunStarted(run, 1));
        kafka.publish(new MetricPoint(run, "rollout/raw_reward", 1, 0, 0.25, Instant.now()));
        kafka.publish(new MetricPoint(run, "rollout/raw_reward", 2, 0, 0.5, Instant.now()));

        await().until(() -> get("/api/runs").contains(run)
                && json("/api/runs/" + run)
                                .at("/series/rollout~1raw_reward/values")
                                .size()
                        == 2);
        JsonNode page = json("/api/runs/" + run);
        assertThat(page.at("/run/phase").asText()).isEqualTo("running");
        assertThat(page.at("/run/reward").asDouble()).isEqualTo(0.5);
        assertThat(get("/q/metrics"))
                .contains("sluice_run_figure{name=\"rollout/raw_reward\",run=\"" + run + "\"} 0.5");
    }

    @Test
    void aConversionIsShownWithWhatItWaitsForUntilItEnds(KafkaBroker kafka) throws Exception {
        String run = kafka.newRunId("converting");
        String holder = "converter-2 (process 4711 on node-3), for 12 s";

        kafka.publish(new ConversionProgressed(run, Direction.TO_TORCH_DIST, 0, 100, holder));
        await().until(() -> send("/api/runs/" + run).statusCode() == 200);
        JsonNode conversion = json("/api/runs/" + run).at("/conversion");
        assertThat(conversion.at("/waitingFor").asText()).isEqualTo(holder);
        assertThat(conversion.at("/direction").asText()).isEqualTo("to_torch_dist");

        kafka.publish(new ConversionProgressed(run, Direction.TO_TORCH_DIST, 40, 100));
        await().until(() -> json("/api/runs/" + run).at("/conversion/bytesDone").asLong() == 40);
        assertThat(json("/api/runs/" + run).at("/conversion/waitingFor").isTextual())
                .isFalse();

        kafka.publish(new CheckpointConverted(run, "/model", "/dist", 3, 100, 0.25, false));
        await().until(() -> !json("/api/runs/" + run).at("/conversion").isObject());
    }

    @Test
    void whoseTurnItIsOnSharedGpusIsShownWithWhoIsAwaited(KafkaBroker kafka) throws Exception {
        String run = kafka.newRunId("turns");

        kafka.publish(of(run, RunPlanned.class));
        kafka.publish(new RunAssigned(
                run,
                1,
                new TrainerShare("trainer-1", "a", 1),
                List.of(
                        new RolloutShare("rollout-1", "a", 1, List.of(0)),
                        new RolloutShare("rollout-2", "a", 1, List.of(1))),
                "instances are free"));
        kafka.publish(new PhaseChanged(run, 1, 5, Phase.TRAIN, 2, List.of()));
        kafka.publish(new PhaseReached(run, 1, "rollout-1", "a", 5, List.of()));

        await().until(() -> send("/api/runs/" + run).statusCode() == 200
                && json("/api/runs/" + run)
                        .at("/handOver/now/awaited")
                        .toString()
                        .equals("[\"rollout-2\"]"));
        JsonNode page = json("/api/runs/" + run);
        assertThat(page.at("/handOver/now/phase").asText()).isEqualTo("train");
        assertThat(page.at("/handOver/now/number").asInt()).isEqualTo(5);
        assertThat(page.at("/engines")).as("an instance's word is no engine").isEmpty();
    }

    @Test
    void thePageAndItsLibraryAreServed() throws Exception {
        assertThat(get("/")).contains("<title>Sluice</title>");
        assertThat(get("/webjars/uplot/1.6.30/dist/uPlot.iife.min.js")).contains("uPlot");
        assertThat(get("/dashboard.js")).contains("rollout/raw_reward");
    }

    @Test
    void aRunThatNobodyNamedIsNotFound() throws Exception {
        HttpResponse<String> reply = send("/api/runs/nobody");

        assertThat(reply.statusCode()).isEqualTo(404);
    }

    private JsonNode json(String path) throws Exception {
        return new ObjectMapper().readTree(get(path));
    }

    private String get(String path) throws Exception {
        HttpResponse<String> reply = send(path);
        assertThat(reply.statusCode()).as(path).isEqualTo(200);
        return reply.body();
    }

    private HttpResponse<String> send(String path) throws IOException, InterruptedException {
        try (HttpClient client = HttpClient.newHttpClient()) {
            return client.send(
                    HttpRequest.newBuilder(address.resolve(path)).build(), HttpResponse.BodyHandlers.ofString());
        }
    }

    private static <E extends Event> E of(String runId, Class<E> type) throws IOException {
        var golden = (com.fasterxml.jackson.databind.node.ObjectNode) EventJson.mapper()
                .readTree(GOLDEN.resolve(type.getSimpleName() + ".json").toFile());
        return EventJson.mapper().treeToValue(golden.put("runId", runId), type);
    }
}
