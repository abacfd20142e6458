package dev.sluice.planner;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.sluice.events.Event;
import dev.sluice.events.Problem;
import dev.sluice.events.RunEvent.RunPlanned;
import dev.sluice.events.RunEvent.RunRejected;
import dev.sluice.events.RunRequest.TrainingRequested;
import dev.sluice.events.Topics;
import dev.sluice.testkit.EventLog;
import dev.sluice.testkit.KafkaBroker;
import java.io.IOException;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What clients send, over the topic and over HTTP, and what they are told. */
@ExtendWith(KafkaBroker.class)
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class RequestsIT {
    private static final String YAML = "application/yaml";
    private static final Path RECIPES = Path.of(System.getProperty("sluice.root"), "deploy/recipes");
    private static final Path EXAMPLES = Path.of(System.getProperty("sluice.root"), "deploy/examples");
    private static final String TYPE = Event.typeOf(TrainingRequested.class);

    private KafkaBroker kafka;
    private PlannerProcess planner;
    private Inputs inputs;
    private EventLog runs;

    @BeforeAll
    void startPlanner(KafkaBroker kafka, @TempDir Path directory) {
        this.kafka = kafka;
        inputs = Inputs.in(directory);
        planner = PlannerProcess.start(
                kafka.bootstrapServers(), directory, Map.of("sluice.input-roots", EXAMPLES.toString()));
        runs = kafka.follow(Topics.RUN_EVENTS);
    }

    @AfterAll
    void stopPlanner() {
        runs.close();
        planner.close();
    }

    @Test
    void aRejectionListsEveryProblemWithinASecond() {
        // Given
        warmUp();
        String runId = kafka.newRunId("rejected");
        String request = """
                {"backend": "cpu", "model": {"path": "/nowhere"}, "data": {"prompts": "%s"},
                 "rollout": {"samplesPerPrompt": 1, "topp": 1}, "algorithm": {"entropyCoefficient": -1}, "training": {"steps": 1}}
                """.formatted(inputs.brokenPrompts());

        // When
        Instant sent = Instant.now();
        publish(runId, TYPE, inputs.record(runId, request));
        RunRejected rejected = runs.await(runId, RunRejected.class);

        // Then
        assertThat(Duration.between(sent, Instant.now())).isLessThan(Duration.ofSeconds(1));
        assertThat(rejected.problems())
                .filteredOn(Problem::severity, Problem.Severity.ERROR)
                .extracting(Problem::path)
                .containsExactlyInAnyOrder(
                        "rollout.topp",
                        "model.path",
                        "data.prompts",
                        "rollout.samplesPerPrompt",
                        "algorithm.entropyCoefficient");
        assertThat(rejected.problems())
                .extracting(Problem::message)
                .anyMatch(message -> message.contains("line 2: no key label; did you mean lable?"));
    }

    @Test
    void aPathOutsideTheRootsIsRefused() {
        String runId = kafka.newRunId("roots");
        String request = """
                {"backend": "cpu", "model": {"path": "/etc"}, "data": {"prompts": "relative.jsonl"},
                 "training": {"steps": 1}}
                """;

        publish(runId, TYPE, inputs.record(runId, request));

        assertThat(runs.await(runId, RunRejected.class).problems())
                .extracting(Problem::message)
                .anyMatch(message -> message.startsWith("/etc lies outside the configured roots"))
                .anyMatch(message -> message.startsWith("relative.jsonl is relative"));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            {"runId": | dev.sluice.TrainingRequested.v1 | request.syntax
            []        | dev.sluice.TrainingRequested.v1 | request.syntax
            {}        | dev.sluice.TrainingRequested.v1 | request.run-id
            {}        | dev.sluice.Nonsense.v7          | request.type
            """)
    void aBrokenRecordIsAnsweredWhereItsKeyNamesARun(String value, String type, String rule) {
        String runId = kafka.newRunId("broken");

        publish(runId, type, value.getBytes(UTF_8));

        assertThat(runs.await(runId, RunRejected.class).problems())
                .extracting(Problem::rule)
                .containsExactly(rule);
    }

    @Test
    void recordsThatNameNoRunDoNotStopThePlanner() {
        String runId = kafka.newRunId("after");

        publish("../../etc", TYPE, new byte[] {(byte) 0xff, 0, 1});
        publish("", "", new byte[0]);
        publish(runId, TYPE, inputs.record(runId, 5));

        assertThat(runs.await(runId, RunPlanned.class).plan().model().mtpParameters())
                .isPositive();
    }

    @Test
    void theSameRequestTwiceIsPlannedOnceAndAnotherOneIsRejected() {
        // Given
        String runId = kafka.newRunId("twice");
        publish(runId, TYPE, inputs.record(runId, 5));
        runs.await(runId, RunPlanned.class);

        // When
        publish(runId, TYPE, inputs.record(runId, 5));
        publish(runId, TYPE, inputs.record(runId, 6));
        RunRejected rejected = runs.await(runId, RunRejected.class);

        // Then
        assertThat(rejected.problems()).extracting(Problem::rule).containsExactly("request.conflict");
        assertThat(runs.events(runId, RunPlanned.class)).hasSize(1);
        assertThat(phase(runId)).isEqualTo("queued");
    }

    @Test
    void aRequestOverHttpGoesThroughTheTopic() {
        // When
        String runId = kafka.newRunId("http");
        HttpResponse<String> asked = planner.post("/v1/runs?runId=" + runId, YAML, inputs.yaml(5));
        HttpResponse<String> again = planner.post("/v1/runs?runId=" + runId, YAML, inputs.yaml(5));
        runs.await(runId, RunPlanned.class);
        HttpResponse<String> other = planner.post("/v1/runs?runId=" + runId, YAML, inputs.yaml(6));

        // Then
        assertThat(asked.statusCode()).isEqualTo(202);
        assertThat(asked.headers().firstValue("Location")).get().asString().endsWith("/v1/runs/" + runId);
        assertThat(again.statusCode()).isEqualTo(202);
        assertThat(other.statusCode()).isEqualTo(409);
        assertThat(runs.events(runId, RunPlanned.class)).hasSize(1);
        assertThat(planner.get("/v1/runs").body()).contains(runId);
    }

    @Test
    void aDryRunPlansAndPublishesNothing() {
        HttpResponse<String> response = planner.post("/v1/runs?dryRun=true", YAML, inputs.yaml(7));
        JsonNode answer = PlannerProcess.json(response);

        assertThat(response.statusCode()).isEqualTo(200);
        assertThat(answer.at("/plan/rollout/args").toString()).contains("\"--speculative-algorithm\",\"EAGLE\"");
        assertThat(planner.get("/v1/runs/" + answer.get("runId").asText()).statusCode())
                .isEqualTo(404);
    }

    @Test
    void theExampleIsPlannedWithoutAWarning() throws IOException {
        String request =
                Files.readString(EXAMPLES.resolve("tiny/request.yaml")).replace("./", EXAMPLES.resolve("tiny") + "/");

        HttpResponse<String> response = planner.post("/v1/plans", YAML, request);

        assertThat(response.statusCode()).as(response.body()).isEqualTo(200);
        assertThat(PlannerProcess.json(response).get("problems")).isEmpty();
        assertThat(PlannerProcess.json(response).at("/rollout/engines").asInt()).isEqualTo(2);
    }

    @Test
    void httpTellsWhatIsWrong() {
        HttpResponse<String> unreadable = planner.post("/v1/runs", YAML, "a: [");
        HttpResponse<String> badId = planner.post("/v1/runs?runId=A", YAML, inputs.yaml(1));
        HttpResponse<String> infeasible = planner.post("/v1/runs", "application/json", "{\"backend\": \"gpu\"}");
        HttpResponse<String> tooLarge = planner.post("/v1/runs", YAML, "#".repeat(2 << 20));

        assertThat(unreadable.statusCode()).isEqualTo(400);
        assertThat(badId.statusCode()).isEqualTo(400);
        assertThat(infeasible.statusCode()).isEqualTo(422);
        assertThat(PlannerProcess.json(infeasible).get("feasible").asBoolean()).isFalse();
        assertThat(PlannerProcess.json(infeasible).get("problems").findValuesAsText("path"))
                .containsExactly("model.path", "data.prompts", "training.steps", "backend", "cluster.gpu");
        assertThat(tooLarge.statusCode()).isEqualTo(413);
    }

    @Test
    void theGpuBackendNeedsInstancesWithGpus() {
        HttpResponse<String> response =
                planner.post("/v1/runs", YAML, inputs.yaml(1).replace("backend: cpu", "backend: gpu"));

        assertThat(PlannerProcess.json(response).get("problems").findValuesAsText("rule"))
                .contains("backend.instances");
    }

    @Test
    void aPlanForGpusNeedsNeitherGpusNorTheModelHere() throws IOException {
        String recipe = Files.readString(RECIPES.resolve("glm-4.7-flash-8xh100.yaml"));

        HttpResponse<String> response = planner.post("/v1/plans", YAML, recipe);
        JsonNode plan = PlannerProcess.json(response);

        assertThat(response.statusCode()).as(response.body()).isEqualTo(200);
        assertThat(plan.get("feasible").asBoolean()).isTrue();
        assertThat(plan.at("/training/layout/ep").asInt()).isEqualTo(8);
        assertThat(plan.at("/training/memory/gpuGiB").asDouble()).isEqualTo(48.8);
        assertThat(plan.at("/rollout/kvTokensPerRank").asInt()).isEqualTo(824_456);
        assertThat(plan.at("/placement").asText()).isEqualTo("colocated");
        assertThat(plan.at("/transport").asText()).isEqualTo("tensor");
        assertThat(plan.get("problems").findValuesAsText("rule"))
                .as("what would hinder its run here: nothing but the files and GPUs of another machine")
                .doesNotContain("cluster.hand-over", "weights.transport");
    }

    @Test
    void aPlanThatCannotRunTellsTheRuleAndTheModel() throws IOException {
        String recipe = Files.readString(RECIPES.resolve("glm-4.7-flash-8xh100.yaml"))
                .replace("layout: auto", "layout: {tp: 2, pp: 2, cp: 2, ep: 8, lastStageLayers: 23}");

        HttpResponse<String> response = planner.post("/v1/plans", YAML, recipe);
        JsonNode answer = PlannerProcess.json(response);

        assertThat(response.statusCode()).isEqualTo(422);
        assertThat(answer.at("/problems/0/rule").asText()).isEqualTo("M02");
        assertThat(answer.at("/model/totalParameters").asLong()).isEqualTo(29_943_390_976L);
    }

    @Test
    void theApiDescribesItself() {
        assertThat(planner.get("/q/openapi").body()).contains("/v1/runs", "/v1/plans", "/v1/runs/{runId}/cancel");
        assertThat(planner.get("/q/metrics").statusCode()).isEqualTo(200);
    }

    /** The first request of a JVM loads classes for a second. */
    private void warmUp() {
        String runId = kafka.newRunId("warm");
        publish(runId, TYPE, inputs.record(runId, 5));
        runs.await(runId, RunPlanned.class);
    }

    private String phase(String runId) {
        return Awaitility.await()
                .until(
                        () -> PlannerProcess.json(planner.get("/v1/runs/" + runId))
                                .path("phase")
                                .asText(),
                        phase -> List.of("queued", "assigned").contains(phase));
    }

    private void publish(String key, String type, byte[] value) {
        kafka.publishRaw(
                Topics.RUN_REQUESTS,
                key,
                Map.of("ce_type", type, "ce_id", UUID.randomUUID().toString()),
                value);
    }
}
