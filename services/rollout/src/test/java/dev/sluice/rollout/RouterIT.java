package dev.sluice.rollout;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import dev.sluice.events.EngineEvent.EngineReady;
import dev.sluice.events.EngineEvent.WeightsLoaded;
import dev.sluice.http.Json;
import dev.sluice.testkit.KafkaBroker;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** What SGLang clients see of an instance: requests within bounds of weight versions, engines as workers of a router. */
@ExtendWith(KafkaBroker.class)
class RouterIT {
    private static final String GENERATE = "{\"input_ids\": [5, 6], \"sampling_params\": {\"max_new_tokens\": 4}%s}";
    private static final int TIMED = 200;

    private final HttpClient client = HttpClient.newHttpClient();

    @TempDir
    Path folder;

    private URI router;

    @Test
    void requestsGoToEnginesWithinTheirBoundsAndNowhereElse(KafkaBroker kafka) throws Exception {
        try (Scenario run = new Scenario(kafka, folder);
                RunningRollout service = run.startService()) {
            run.begin();
            router = service.address();
            // When nothing is asked of the version
            HttpResponse<String> any = post("/generate", GENERATE.formatted(""));
            assertThat(any.statusCode()).as(any.body()).isEqualTo(200);
            assertThat(any.headers().firstValue(RouterRoutes.WEIGHT_VERSION)).contains("0");
            assertThat(json(any).at("/meta_info/completion_tokens").asInt()).isBetween(1, 4);
            // When a version is asked for that no engine has yet
            HttpResponse<String> tooNew = post("/generate", GENERATE.formatted(", \"min_weight_version\": 1"));
            assertThat(tooNew.statusCode()).isEqualTo(409);
            assertThat(json(tooNew).path("weight_version").asText()).isEqualTo("0");
            assertThat(json(tooNew).path("message").asText()).contains("weight version 1 or newer", "hold [0]");
            // When the engine has moved on
            run.publishSource();
            run.publishWeights(1);
            run.log.await(run.runId, WeightsLoaded.class, loaded -> loaded.version() == 1, Scenario.START);
            HttpResponse<String> again = post("/generate", GENERATE.formatted(", \"min_weight_version\": 1"));
            assertThat(again.headers().firstValue(RouterRoutes.WEIGHT_VERSION)).contains("1");
            assertThat(again.headers().firstValue(RouterRoutes.END_WEIGHT_VERSION))
                    .contains("1");
            assertThat(json(again).at("/meta_info/weight_version").asText()).isEqualTo("1");
            HttpResponse<String> gone = post("/generate", GENERATE.formatted(", \"exact_weight_version\": 0"));
            assertThat(gone.statusCode()).isEqualTo(409);
            assertThat(json(gone).path("weight_version").asText()).isEqualTo("1");
        }
    }

    /** Clients that ask again and again, so that some of their requests are on the way whenever weights change. */
    @Test
    void repliesThatGoOnAcrossNewWeightsSayWithWhichTheyBeganAndEnded(KafkaBroker kafka) throws Exception {
        try (Scenario run = new Scenario(kafka, folder);
                RunningRollout service = run.startService()) {
            run.pauseMode = "in_place";
            run.begin();
            router = service.address();
            run.publishSource();
            AtomicBoolean enough = new AtomicBoolean();
            List<HttpResponse<String>> replies = Collections.synchronizedList(new ArrayList<>());
            List<Thread> clients = Stream.of("true", "true", "false", "false")
                    .map(stream -> Thread.ofVirtual().start(() -> {
                        while (!enough.get()) {
                            replies.add(longRequest(stream));
                        }
                    }))
                    .toList();
            // When
            await().until(() -> replies.size() > 4);
            run.publishWeights(1);
            run.log.await(run.runId, WeightsLoaded.class, loaded -> loaded.version() == 1, Scenario.START);
            enough.set(true);
            for (Thread client : clients) {
                client.join();
            }
            // Then
            assertThat(replies)
                    .allSatisfy(reply -> assertThat(reply.statusCode()).isEqualTo(200))
                    .anySatisfy(stream -> assertThat(stream.body())
                            .contains("data: ", "\"weight_version\":\"default\"", "\"weight_version\":\"1\""))
                    .anySatisfy(whole -> {
                        assertThat(whole.headers().firstValue(RouterRoutes.WEIGHT_VERSION))
                                .contains("0");
                        assertThat(whole.headers().firstValue(RouterRoutes.END_WEIGHT_VERSION))
                                .contains("1");
                    });
        }
    }

    private HttpResponse<String> longRequest(String stream) {
        try {
            return post(
                    "/generate",
                    "{\"input_ids\": [5, 6], \"stream\": %s, \"sampling_params\": {\"max_new_tokens\": 480, \"ignore_eos\": true}}"
                            .formatted(stream));
        } catch (IOException | InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    @Test
    void speaksBothDialectsOfTheRouterAndStreams(KafkaBroker kafka) throws Exception {
        try (Scenario run = new Scenario(kafka, folder);
                RunningRollout service = run.startService()) {
            run.announced("");
            router = service.address();
            assertThat(get("/readiness").statusCode()).as("before the run").isEqualTo(503);
            EngineReady ready = run.begin();
            // Then
            assertThat(get("/readiness").statusCode()).isEqualTo(200);
            JsonNode workers = json(get("/workers"));
            String url = workers.at("/workers/0/url").asText();
            assertThat(workers.path("total").asInt()).isEqualTo(1);
            assertThat(workers.at("/workers/0/is_healthy").asBoolean()).isTrue();
            assertThat(workers.at("/workers/0/metadata/engine_id").asText()).isEqualTo(ready.engineId());
            String id = workers.at("/workers/0/id").asText();
            assertThat(json(get("/workers/" + id)).path("url").asText()).isEqualTo(url);
            assertThat(get("/workers/none").statusCode()).isEqualTo(404);
            assertThat(json(get("/list_workers")).at("/urls/0").asText()).isEqualTo(url);
            assertThat(post("/workers", "{\"url\": \"" + url + "\"}").statusCode())
                    .isEqualTo(202);
            assertThat(post("/workers", "{\"url\": \"http://10.0.0.1:1\"}").statusCode())
                    .isEqualTo(403);
            assertThat(post("/remove_worker?url=" + url, "").statusCode()).isEqualTo(403);
            assertThat(json(get("/v1/models")).at("/data").isArray()).isTrue();
            // When
            HttpResponse<String> stream = post("/generate", GENERATE.formatted(", \"stream\": true"));
            // Then
            assertThat(stream.headers().firstValue("content-type").orElse("")).contains("text/event-stream");
            assertThat(stream.body()).endsWith("data: [DONE]\n\n");
            // When
            assertThat(post("/generate", "nonsense").statusCode()).isEqualTo(400);
            assertThat(post("/generate", GENERATE.formatted(", \"run_id\": \"other\""))
                            .statusCode())
                    .isEqualTo(503);
            // Then: how much the router adds is printed, not asserted
            System.out.printf(
                    "median of %d requests of one token: engine %.2f ms, through the router %.2f ms%n",
                    TIMED, median(URI.create(url)), median(router));
        }
    }

    private double median(URI base) throws IOException, InterruptedException {
        List<Double> millis = new ArrayList<>();
        String body = "{\"input_ids\": [5, 6], \"sampling_params\": {\"max_new_tokens\": 1}}";
        for (int i = 0; i < TIMED; i++) {
            long start = System.nanoTime();
            client.send(
                    request(base, "/generate")
                            .POST(HttpRequest.BodyPublishers.ofString(body))
                            .build(),
                    HttpResponse.BodyHandlers.ofString());
            millis.add((System.nanoTime() - start) / 1e6);
        }
        Collections.sort(millis);
        return millis.get(TIMED / 2);
    }

    private HttpResponse<String> post(String path, String body) throws IOException, InterruptedException {
        return client.send(
                request(router, path)
                        .POST(HttpRequest.BodyPublishers.ofString(body))
                        .build(),
                HttpResponse.BodyHandlers.ofString());
    }

    private HttpResponse<String> get(String path) throws IOException, InterruptedException {
        return client.send(request(router, path).GET().build(), HttpResponse.BodyHandlers.ofString());
    }

    private static HttpRequest.Builder request(URI base, String path) {
        return HttpRequest.newBuilder(base.resolve(path))
                .timeout(Duration.ofSeconds(30))
                .header("content-type", "application/json");
    }

    private static JsonNode json(HttpResponse<String> reply) throws IOException {
        return Json.MAPPER.readTree(reply.body());
    }
}
