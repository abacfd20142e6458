package dev.sluice.cli.deploy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;
import static org.awaitility.Awaitility.await;

import java.io.File;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.testcontainers.DockerClientFactory;
import org.testcontainers.containers.ComposeContainer;
import org.testcontainers.containers.wait.strategy.Wait;

/** The containers train the example; skipped, and said so, where no Docker engine runs. */
class ComposeIT {
    private static final File COMPOSE =
            Path.of(System.getProperty("sluice.root"), "docker-compose.yml").toFile();
    private static final Duration START = Duration.ofMinutes(10);
    private static final String REQUEST = """
            {"runId": "compose", "request": {"name": "compose", "backend": "cpu", "model": {"path": "/examples/tiny/model"},
             "data": {"prompts": "/examples/tiny/prompts.jsonl"}, "reward": {"type": "exact"},
             "rollout": {"groupsPerStep": 8, "samplesPerPrompt": 4, "maxResponseTokens": 8},
             "training": {"steps": 3, "learningRate": 0.0005}}}""";

    @Test
    void theExampleIsTrainedInContainers() throws Exception {
        assumeThat(DockerClientFactory.instance().isDockerAvailable())
                .as("no Docker engine runs here: the containers are not started")
                .isTrue();
        try (ComposeContainer containers = new ComposeContainer(COMPOSE)
                .withBuild(true)
                .withExposedService(
                        "planner", 8080, Wait.forHttp("/q/health/ready").withStartupTimeout(START))) {
            containers.start();
            URI planner = URI.create("http://%s:%d/v1/runs"
                    .formatted(containers.getServiceHost("planner", 8080), containers.getServicePort("planner", 8080)));

            HttpResponse<String> accepted = send(HttpRequest.newBuilder(planner)
                    .header("content-type", "application/json")
                    .POST(HttpRequest.BodyPublishers.ofString(REQUEST)));

            assertThat(accepted.statusCode()).as(accepted.body()).isEqualTo(202);
            await().atMost(Duration.ofMinutes(5))
                    .until(() -> send(HttpRequest.newBuilder(URI.create(planner + "/compose")))
                            .body()
                            .toLowerCase()
                            .contains("succeeded"));
        }
    }

    private static HttpResponse<String> send(HttpRequest.Builder request) throws Exception {
        try (HttpClient client = HttpClient.newHttpClient()) {
            return client.send(request.build(), HttpResponse.BodyHandlers.ofString());
        }
    }
}
