package dev.sluice.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.sluice.process.ChildProcess;
import dev.sluice.process.PidFile;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/** {@code sluice up} as a process of its own, and what a person does beside it. */
final class UpProcess implements AutoCloseable {
    private static final Duration DEADLINE = Duration.ofMinutes(5);

    private final Path directory;
    private final ChildProcess process;
    private final HttpClient http = HttpClient.newHttpClient();

    private UpProcess(Path directory, ChildProcess process) {
        this.directory = directory;
        this.process = process;
    }

    /** What a command came to. */
    record Outcome(int exitCode, String output) {}

    /** Returns when all services are ready; requests may name files below the directory. */
    static UpProcess start(Path directory) throws IOException {
        return start(directory, 2, Map.of());
    }

    /** @param environment of the services */
    static UpProcess start(Path directory, int rolloutInstances, Map<String, String> environment) throws IOException {
        Path log = directory.resolve("up.log");
        List<String> command =
                List.of("up", "--work-dir", work(directory), "--rollout", Integer.toString(rolloutInstances));
        UpProcess up = new UpProcess(
                directory,
                ChildProcess.start(SluiceCommand.of(directory, log, command).withEnvironment(environment)));
        await().atMost(DEADLINE)
                .failFast(() ->
                        assertThat(up.process.isAlive()).as(() -> read(log)).isTrue())
                .until(() -> read(log).contains("ready after"));
        return up;
    }

    /** {@code sluice run} in another terminal. */
    Outcome run(Path request, String... options) throws Exception {
        List<String> arguments = new ArrayList<>(List.of("run", request.toString()));
        arguments.addAll(List.of(options));
        return command(arguments.toArray(String[]::new));
    }

    /** Any command in another terminal. */
    Outcome command(String... words) throws Exception {
        Path log = Files.createTempFile(directory, "run", ".log");
        List<String> arguments = new ArrayList<>(List.of(words));
        arguments.addAll(List.of("--work-dir", work(directory)));
        ChildProcess command = ChildProcess.start(SluiceCommand.of(directory, log, arguments));
        int exitCode = command.exited()
                .get(DEADLINE.toSeconds(), TimeUnit.SECONDS)
                .code()
                .orElse(-1);
        return new Outcome(exitCode, Files.readString(log));
    }

    /** The process of a service, as its state file names it. */
    ProcessHandle service(String name) throws IOException {
        return PidFile.read(directory.resolve("work/run/" + name + ".json"))
                .flatMap(PidFile::process)
                .orElseThrow();
    }

    String bootstrapServers() throws IOException {
        return "127.0.0.1:"
                + PidFile.read(directory.resolve("work/run/broker.json"))
                        .orElseThrow()
                        .port();
    }

    /** A request body over HTTP to the planner. */
    HttpResponse<String> post(String path, String yaml) throws Exception {
        PidFile planner =
                PidFile.read(directory.resolve("work/run/planner.json")).orElseThrow();
        return http.send(
                HttpRequest.newBuilder(URI.create("http://127.0.0.1:%d%s".formatted(planner.port(), path)))
                        .header("content-type", "application/yaml")
                        .POST(HttpRequest.BodyPublishers.ofString(yaml))
                        .build(),
                HttpResponse.BodyHandlers.ofString());
    }

    /** Command lines of engines and training workers that run. */
    List<String> enginesAndWorkers() {
        return ProcessHandle.of(process.pid()).stream()
                .flatMap(ProcessHandle::descendants)
                .map(child -> child.info().commandLine().orElse(""))
                // The services carry these names in a property, the programs themselves as their main class.
                .filter(line -> line.contains(" dev.sluice.cpu.engine.EngineMain ")
                        || line.contains(" dev.sluice.cpu.worker.WorkerMain "))
                .toList();
    }

    /** What runs have left in the data directory. */
    List<Path> filesOfRuns() throws IOException {
        Path runs = directory.resolve("work/data/runs");
        if (!Files.exists(runs)) {
            return List.of();
        }
        try (Stream<Path> files = Files.list(runs)) {
            return files.toList();
        }
    }

    @Override
    public void close() {
        http.close();
        process.stop(Duration.ofSeconds(15));
    }

    private static String work(Path directory) {
        return directory.resolve("work").toString();
    }

    private static String read(Path log) {
        try {
            return Files.exists(log) ? Files.readString(log) : "";
        } catch (IOException e) {
            return "no output: " + e;
        }
    }
}
