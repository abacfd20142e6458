package dev.sluice.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class PlanCommandTest {
    private static final Path DEPLOY = Path.of(System.getProperty("sluice.root"), "deploy");

    @TempDir
    private Path directory;

    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();

    static List<Path> recipes() throws IOException {
        try (Stream<Path> files = Files.list(DEPLOY.resolve("recipes"))) {
            return files.filter(file -> file.toString().endsWith(".yaml"))
                    .sorted()
                    .toList();
        }
    }

    @ParameterizedTest
    @MethodSource("recipes")
    void everyReadyRequestCanRun(Path recipe) throws JsonProcessingException {
        int code = execute("plan", recipe.toString(), "--json");

        JsonNode plan = json();
        assertThat(code).as(plan.get("problems").toPrettyString()).isEqualTo(ExitCode.OK);
        assertThat(plan.get("feasible").asBoolean()).isTrue();
        assertThat(plan.at("/training/memory/gpuGiB").asDouble())
                .isPositive()
                .isLessThanOrEqualTo(plan.at("/training/memory/gpuLimitGiB").asDouble());
        assertThat(plan.at("/rollout/args")).isNotEmpty();
        assertThat(plan.at("/prediction/stepSeconds").asDouble()).isPositive();
    }

    @Test
    void thePageShowsLayoutMemoryTimeAndReasons() {
        int code = execute("plan", recipe("glm-4.7-flash-8xh100").toString());

        assertThat(code).isEqualTo(ExitCode.OK);
        assertThat(out.toString())
                .contains("29.9 B parameters", "node 0, training ranks 0-7", "48.8 of 79.1, at most 74.4")
                .contains("90.6 GiB", "TP 8", "M03", "Time of a step", "If an engine runs out of memory");
        assertThat(out.toString()).doesNotContain("--tensor-model-parallel-size");
    }

    @Test
    void theArgumentsAreShownWhereTheyAreAskedFor() {
        execute("plan", recipe("glm-4.7-flash-8xh100").toString(), "--args");

        assertThat(out.toString())
                .contains("torchrun", "--expert-model-parallel-size 8")
                .contains("sglang.launch_server", "--enable-dp-attention");
    }

    @Test
    void theExampleForALaptopIsPlannedToo() {
        assertThat(execute("plan", DEPLOY.resolve("examples/tiny/request.yaml").toString()))
                .isEqualTo(ExitCode.OK);
        assertThat(out.toString()).contains("can run");
    }

    @Test
    void allProblemsAreToldWithTheirLines() throws IOException {
        Path request = Files.writeString(directory.resolve("request.yaml"), """
                backend: gpu
                model: {path: /data/GLM-4.7-Flash}
                cluster:
                  gpu: H100-80
                  gpusPerNode: 0
                  trainNodes: 3.5
                data: {prompts: /data/p.jsonl}
                rollout: {groupsPerSteps: 32}
                training:
                  steps: 10
                """);

        int code = execute("plan", request.toString());

        assertThat(code).isEqualTo(ExitCode.USAGE);
        assertThat(out.toString())
                .contains(request + ":5: cluster.gpusPerNode")
                .contains(request + ":6: cluster.trainNodes")
                .contains("unknown key groupsPerSteps; did you mean groupsPerStep?")
                .contains("nothing was started");
    }

    @Test
    void aProblemInJsonHasFileAndLine() throws IOException {
        Path request = Files.writeString(directory.resolve("request.yaml"), """
                backend: gpu
                model: {path: /data/GLM-4.7-Flash}
                cluster: {gpu: H100-80, placement: colocated}
                data: {prompts: /data/p.jsonl}
                training:
                  steps: 10
                  layout: {tp: 8, pp: 1, cp: 1, ep: 8}
                """);

        int code = execute("plan", request.toString(), "--json");

        JsonNode problem = json().at("/problems/0");
        assertThat(code).isEqualTo(ExitCode.USAGE);
        assertThat(json().get("feasible").asBoolean()).isFalse();
        assertThat(problem.get("rule").asText()).isEqualTo("M03");
        assertThat(problem.get("severity").asText()).isEqualTo("error");
        assertThat(problem.get("line").asInt()).isEqualTo(7);
        assertThat(json().at("/model/totalParameters").asLong()).isEqualTo(29_943_390_976L);
    }

    @Test
    void aModelsConfigurationIsReadWhereItIs() throws IOException {
        Files.writeString(directory.resolve("config.json"), """
                {
                  "model_type": "qwen4",
                  "hidden_size": -1
                }
                """);

        int code = execute("plan", recipe("qwen3-4b").toString(), "--model", directory.toString());

        assertThat(code).isEqualTo(ExitCode.USAGE);
        assertThat(out.toString().replaceAll("\\s+", " "))
                .contains("config.json:2", "qwen4", "did you mean")
                .contains("config.json");
    }

    @Test
    void aMisspeltModelAndGpuAreToldTogetherWithTheNearestNames() throws IOException {
        Path request = Files.writeString(directory.resolve("request.yaml"), """
                backend: gpu
                model: {path: /data/Qwn3-4B}
                cluster: {gpu: H100-81}
                data: {prompts: /data/p.jsonl}
                training: {steps: 5, megatron: {moe-permute-fusio: true}}
                """);

        assertThat(execute("plan", request.toString())).isEqualTo(ExitCode.USAGE);
        assertThat(out.toString().replaceAll("\\s+", " "))
                .contains("did you mean Qwen3-4B?", "did you mean H100-80?", "did you mean moe-permute-fusion?");
    }

    @Test
    void aConfigurationThatIsNoJsonIsNamedWithItsLine() throws IOException {
        Files.writeString(directory.resolve("config.json"), "{\n  \"model_type\": \"qwen3\",\n  oops\n}\n");

        int code = execute("plan", recipe("qwen3-4b").toString(), "--model", directory.toString());

        assertThat(code).isEqualTo(ExitCode.USAGE);
        assertThat(out.toString().replaceAll("\\s+", "")).contains("config.json:3isnotJSON");
    }

    @Test
    void aSettingReplacesAValue() throws JsonProcessingException {
        execute("plan", recipe("glm-4.7-flash-8xh100").toString(), "--set", "training.layout.tp=2", "--json");

        assertThat(json().at("/training/layout/tp").asInt()).isEqualTo(2);
    }

    private static Path recipe(String name) {
        return DEPLOY.resolve("recipes/" + name + ".yaml");
    }

    private JsonNode json() throws JsonProcessingException {
        return new ObjectMapper().readTree(out.toString());
    }

    private int execute(String... arguments) {
        Terminal terminal = new Terminal(new PrintWriter(out, true), new PrintWriter(err, true), false);
        return Main.commandLine(terminal).execute(arguments);
    }
}
