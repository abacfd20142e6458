package dev.sluice.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What the doctor says of the machine that the tests run on: one without a GPU, which is what most people begin with. */
class DoctorCommandTest {
    private static final Path REPOSITORY = Path.of(System.getProperty("sluice.root"));

    @TempDir
    private Path directory;

    @BeforeAll
    static void requireAMachineWithoutGpus() {
        assumeFalse(Files.exists(Path.of("/proc/driver/nvidia/version")), "this machine has an NVIDIA driver");
    }

    @Test
    void withoutGpusTheCpuBackendWorksAndWhatTheOtherLacksIsNamed() throws IOException {
        CommandOutcome outcome = CommandOutcome.of("doctor", "--json", "--work-dir", directory);

        JsonNode json = outcome.json();
        assertThat(outcome.exitCode()).isEqualTo(ExitCode.OK);
        assertThat(json.get("backend").asText()).isEqualTo("cpu");
        assertThat(json.at("/backends/cpu/works").asBoolean()).isTrue();
        assertThat(json.at("/backends/gpu/works").asBoolean()).isFalse();
        assertThat(json.at("/backends/gpu/missing/0").asText()).isEqualTo("driver");
        assertThat(json.at("/checks/0/outcome").asText()).isEqualTo("warning");
        assertThat(json.at("/checks/0/mend").asText()).startsWith("for backend: gpu, ");
        assertThat(subjects(json, "not checked")).contains("NCCL", "broker");
        assertThat(subjects(json, "ok")).contains("Java", "data root");
        assertThat(directory).isEmptyDirectory();
    }

    @Test
    void aRecipeForEightGpusFailsHereWithWhatItNeeds() {
        CommandOutcome outcome = CommandOutcome.of(
                "doctor", REPOSITORY.resolve("deploy/recipes/glm-4.7-flash-8xh100.yaml"), "--work-dir", directory);

        assertThat(outcome.exitCode()).isEqualTo(ExitCode.FAILED);
        assertThat(outcome.out().replaceAll("\\s+", " "))
                .contains("failed driver", "mend: ", "GiB needed", "each of 4 cuts 390.4", "/data/GLM-4.7-Flash")
                .contains("the request (backend: gpu) does not work on this node")
                .doesNotContain("backend: cpu works");
    }

    @Test
    void theExampleRequestWorksHere() {
        CommandOutcome outcome = CommandOutcome.of(
                "doctor", REPOSITORY.resolve("deploy/examples/tiny/request.yaml"), "--work-dir", directory);

        assertThat(outcome.out()).contains("the request (backend: cpu) works on this node");
        assertThat(outcome.exitCode()).isEqualTo(ExitCode.OK);
    }

    @Test
    void aPersonWhoAsksForGpusIsToldThatTheyLack() {
        CommandOutcome outcome = CommandOutcome.of("doctor", "--backend", "gpu", "--quick", "--work-dir", directory);

        assertThat(outcome.exitCode()).isEqualTo(ExitCode.FAILED);
        assertThat(outcome.out()).contains("judged for backend: gpu");
    }

    @Test
    void mistakesAreUsageErrors() throws IOException {
        Path request = Files.writeString(directory.resolve("request.yaml"), "model: {path: nowhere}\n");

        CommandOutcome nodes = CommandOutcome.of("doctor", "--nodes", "2");
        CommandOutcome unplanned = CommandOutcome.of("doctor", request);

        assertThat(nodes.exitCode()).isEqualTo(ExitCode.USAGE);
        assertThat(nodes.err()).contains("--master HOST:PORT");
        assertThat(unplanned.exitCode()).isEqualTo(ExitCode.USAGE);
        assertThat(unplanned.err()).contains("cannot be planned");
    }

    private static List<String> subjects(JsonNode json, String outcome) {
        List<String> subjects = new ArrayList<>();
        for (JsonNode check : json.get("checks")) {
            if (check.get("outcome").asText().equals(outcome)) {
                subjects.add(check.get("subject").asText());
            }
        }
        return subjects;
    }
}
