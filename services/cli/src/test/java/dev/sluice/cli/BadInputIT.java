package dev.sluice.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Requests that cannot run are answered at once, completely, and cost nothing: over HTTP and by the command. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class BadInputIT {
    private static final Path EXAMPLE = Path.of(System.getProperty("sluice.root"), "deploy/examples/tiny");
    private static final Duration ANSWER = Duration.ofSeconds(1);
    private static final int WARM_UP = 5;

    private Path directory;
    private UpProcess up;

    /**
     * A request that cannot run.
     *
     * @param what is wrong with it
     * @param yaml the request; paths are relative to the directory
     * @param problems part of each message, as many as there are problems
     */
    private record BadRequest(String what, String yaml, List<String> problems) {
        @Override
        public String toString() {
            return what;
        }
    }

    @BeforeAll
    void startServices(@TempDir Path directory) throws Exception {
        this.directory = directory;
        copyModel("model");
        copyModel("truncated");
        try (RandomAccessFile shard = new RandomAccessFile(
                directory.resolve("truncated/model.safetensors").toFile(), "rw")) {
            shard.setLength(shard.length() / 2);
        }
        Files.writeString(directory.resolve("prompts.jsonl"), "{\"prompt\": \"1+1=\", \"label\": \"2\"}\n".repeat(64));
        Files.writeString(
                directory.resolve("broken.jsonl"),
                "{\"prompt\": \"1+1=\", \"lable\": \"2\"}\n".repeat(30)
                        + "{\"prompt\": \"1+1=\", \"label\"\n"
                        + "{\"prompt\": \"1+1=\", \"label\": \"2\"}\n".repeat(64));
        up = UpProcess.start(directory);
        // The first requests of a JVM load classes; and the base of all requests below is itself feasible.
        for (int i = 0; i < WARM_UP; i++) {
            HttpResponse<String> plan = up.post("/v1/plans", absolute(request("")));
            assertThat(plan.statusCode()).as(plan.body()).isEqualTo(200);
        }
    }

    @AfterAll
    void stopServices() {
        up.close();
    }

    @AfterEach
    void nothingWasStartedAndNothingIsLeftBehind() throws IOException {
        assertThat(up.enginesAndWorkers()).isEmpty();
        assertThat(up.filesOfRuns()).isEmpty();
    }

    static Stream<BadRequest> badRequests() {
        return Stream.of(
                new BadRequest(
                        "an unknown key",
                        request("  samplesPerPrompts: 4"),
                        List.of("unknown key samplesPerPrompts; did you mean samplesPerPrompt?")),
                new BadRequest(
                        "no checkpoint",
                        request("").replace("./model", "./nowhere"),
                        List.of("/nowhere is not a directory; give the directory that holds config.json")),
                new BadRequest(
                        "a truncated shard",
                        request("").replace("./model", "./truncated"),
                        List.of("/truncated/model.safetensors")),
                new BadRequest(
                        "a broken line and a wrong label key",
                        request("").replace("prompts.jsonl", "broken.jsonl"),
                        List.of("line 1 and 29 more: no key label; did you mean lable?", "line 31: not JSON")),
                new BadRequest(
                        "GPUs that are not there",
                        request("cluster: {gpu: H100-80, gpusPerNode: 8}").replace("backend: cpu", "backend: gpu"),
                        List.of("backend gpu needs instances with GPUs; none is alive")),
                new BadRequest(
                        "several problems",
                        request("  groupsPerStep: 0\n  topp: 1\nalgorithm: {name: ppp}\nreward: {type: exactt}")
                                .replace("./model", "./nowhere")
                                .replace("prompts.jsonl", "broken.jsonl"),
                        List.of(
                                "rollout.groupsPerStep is 0",
                                "unknown key topp; did you mean topP?",
                                "no algorithm is called ppp",
                                "no reward is called exactt; did you mean exact?",
                                "/nowhere is not a directory",
                                "no key label; did you mean lable?",
                                "line 31: not JSON")));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("badRequests")
    void isAnsweredOverHttpWithinASecondWithEveryProblemAndItsMend(BadRequest bad) throws Exception {
        long sent = System.nanoTime();
        HttpResponse<String> answer = up.post("/v1/runs", absolute(bad.yaml()));
        Duration taken = Duration.ofNanos(System.nanoTime() - sent);

        assertThat(taken).isLessThan(ANSWER);
        assertThat(answer.statusCode()).as(answer.body()).isEqualTo(422);
        JsonNode problems = new ObjectMapper().readTree(answer.body()).get("problems");
        List<String> messages = problems.findValuesAsText("message");
        assertThat(messages).hasSameSizeAs(bad.problems());
        assertThat(bad.problems())
                .allSatisfy(expected -> assertThat(messages)
                        .anySatisfy(message -> assertThat(message).contains(expected)));
        assertThat(problems).allSatisfy(problem -> {
            assertThat(problem.path("path").asText()).isNotEmpty();
            assertThat(problem.path("mend").asText()).isNotEmpty();
        });
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("badRequests")
    void endsTheCommandWithTwoAndEveryProblem(BadRequest bad) throws Exception {
        Path file = Files.writeString(directory.resolve("request.yaml"), bad.yaml());

        UpProcess.Outcome outcome = up.run(file);

        assertThat(outcome.exitCode()).as(outcome.output()).isEqualTo(ExitCode.USAGE);
        assertThat(outcome.output()).contains(bad.problems()).contains("nothing was started");
    }

    private static String request(String more) {
        return """
                name: bad
                backend: cpu
                model: {path: ./model}
                data: {prompts: ./prompts.jsonl}
                training: {steps: 1}
                rollout:
                  maxResponseTokens: 8
                """ + more + "\n";
    }

    /** Services run elsewhere: over HTTP paths are absolute. */
    private String absolute(String yaml) {
        return yaml.replace("./", directory + "/");
    }

    private void copyModel(String name) throws IOException {
        Path copy = Files.createDirectory(directory.resolve(name));
        try (Stream<Path> files = Files.list(EXAMPLE.resolve("model"))) {
            for (Path file : files.toList()) {
                Files.copy(file, copy.resolve(file.getFileName()));
            }
        }
    }
}
