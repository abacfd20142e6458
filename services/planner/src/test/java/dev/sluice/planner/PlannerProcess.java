package dev.sluice.planner;

import com.fasterxml.jackson.databind.JsonNode;
import dev.sluice.events.EventJson;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.awaitility.Awaitility;

/** The packaged planner as a process of its own, as users run it: tests can kill it. */
final class PlannerProcess implements AutoCloseable {
    private static final Path APPLICATION =
            Path.of(System.getProperty("sluice.root"), "services/planner/target/quarkus-app/quarkus-run.jar");
    private static final Duration START_DEADLINE = Duration.ofSeconds(60);

    private final HttpClient http =
            HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
    private final Process process;
    private final int port;

    private PlannerProcess(Process process, int port) {
        this.process = process;
        this.port = port;
    }

    /** Starts it and returns when it is ready. */
    static PlannerProcess start(String bootstrapServers, Path directory, Map<String, String> settings) {
        try {
            Path state = directory.resolve("planner.json");
            Files.deleteIfExists(state);
            List<String> command = new ArrayList<>(List.of(
                    Path.of(System.getProperty("java.home"), "bin/java").toString(),
                    "-Xmx192m",
                    "-XX:+UseSerialGC",
                    "-XX:TieredStopAtLevel=1",
                    "-Dsluice.kafka.bootstrap-servers=" + bootstrapServers,
                    "-Dsluice.data-root=" + directory,
                    "-Dsluice.state-file=" + state));
            settings.forEach((key, value) -> command.add("-D" + key + "=" + value));
            command.addAll(List.of("-jar", APPLICATION.toString()));
            Process process = new ProcessBuilder(command)
                    .redirectErrorStream(true)
                    .redirectOutput(ProcessBuilder.Redirect.appendTo(
                            directory.resolve("planner.log").toFile()))
                    .start();
            return ready(process, state, directory);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static PlannerProcess ready(Process process, Path state, Path directory) throws IOException {
        try {
            Awaitility.await().atMost(START_DEADLINE).until(() -> Files.exists(state) || !process.isAlive());
            int port = EventJson.mapper().readTree(state.toFile()).get("port").asInt();
            PlannerProcess planner = new PlannerProcess(process, port);
            Awaitility.await()
                    .atMost(START_DEADLINE)
                    .until(() -> planner.get("/q/health/ready").statusCode() == 200);
            return planner;
        } catch (RuntimeException | IOException e) {
            process.destroyForcibly();
            throw new AssertionError(
                    "The planner did not start:\n" + Files.readString(directory.resolve("planner.log")), e);
        }
    }

    /** Kills it as {@code kill -9} does. */
    void kill() {
        process.destroyForcibly().onExit().join();
    }

    HttpResponse<String> get(String path) {
        return send(HttpRequest.newBuilder(uri(path)).GET());
    }

    HttpResponse<String> post(String path, String contentType, String body) {
        return send(HttpRequest.newBuilder(uri(path))
                .header("Content-Type", contentType)
                .POST(BodyPublishers.ofString(body)));
    }

    static JsonNode json(HttpResponse<String> response) {
        try {
            return EventJson.mapper().readTree(response.body());
        } catch (IOException e) {
            throw new AssertionError("Not JSON: " + response.body(), e);
        }
    }

    private URI uri(String path) {
        return URI.create("http://127.0.0.1:" + port + path);
    }

    private HttpResponse<String> send(HttpRequest.Builder request) {
        try {
            return http.send(request.timeout(Duration.ofSeconds(10)).build(), BodyHandlers.ofString());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new AssertionError(e);
        }
    }

    @Override
    public void close() {
        process.destroy();
        if (!Awaitility.await().atMost(START_DEADLINE).until(() -> !process.isAlive(), ended -> ended)) {
            process.destroyForcibly();
        }
    }
}
