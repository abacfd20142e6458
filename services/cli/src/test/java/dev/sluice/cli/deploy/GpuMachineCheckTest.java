package dev.sluice.cli.deploy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;

import com.fasterxml.jackson.databind.JsonNode;
import dev.sluice.http.Json;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** {@code deploy/gpu/verify.sh} on a machine without GPUs. */
@DisabledOnOs(OS.WINDOWS)
class GpuMachineCheckTest {
    private static final Path REPOSITORY = Path.of(System.getProperty("sluice.root"));

    @TempDir
    private Path machine;

    private record Outcome(int exitCode, String out, String errors) {}

    @Test
    void chosenChecksAreSkippedWithWhatTheyLack() throws Exception {
        Outcome outcome = run("--only", "weights-nccl,worker", "--json");

        assertThat(outcome.exitCode()).isZero();
        JsonNode told = Json.MAPPER.readTree(outcome.out());
        assertThat(told.path("gpus").asInt()).isZero();
        assertThat(told.path("checks"))
                .extracting(
                        check -> check.path("name").asText(),
                        check -> check.path("outcome").asText(),
                        check -> check.path("figures").asText())
                .containsExactly(
                        tuple("weights-nccl", "skipped", "needs 2 GPUs, 0 are here"),
                        tuple("worker", "skipped", "needs 1 GPUs, 0 are here"));
    }

    @Test
    void aCheckThatThereIsNotIsNamedBesideThoseThereAre() throws Exception {
        Outcome outcome = run("--only", "weights-nccl,wieghts");

        assertThat(outcome.exitCode()).isEqualTo(2);
        assertThat(outcome.out()).isEmpty();
        assertThat(outcome.errors().strip())
                .isEqualTo("verify: --only names wieghts; there are: doctor worker weights-tensor weights-nccl"
                        + " conformance cpu-run gpu-run");
    }

    private Outcome run(String... arguments) throws Exception {
        noGpus(machine.resolve("nvidia-smi"));
        List<String> command = new ArrayList<>(
                List.of(REPOSITORY.resolve("deploy/gpu/verify.sh").toString()));
        command.addAll(List.of(arguments));
        Path out = machine.resolve("out");
        Path errors = machine.resolve("errors");
        ProcessBuilder builder =
                new ProcessBuilder(command).redirectOutput(out.toFile()).redirectError(errors.toFile());
        builder.environment().merge("PATH", machine.toString(), (path, mine) -> mine + ":" + path);
        builder.environment().put("TMPDIR", machine.toString());
        builder.environment().remove("CUDA_VISIBLE_DEVICES");
        int exitCode = builder.start().waitFor();
        return new Outcome(exitCode, Files.readString(out), Files.readString(errors));
    }

    private static void noGpus(Path program) throws IOException {
        Files.createFile(program, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwxr-xr-x")));
        Files.writeString(program, "#!/bin/sh\nexit 9\n");
    }
}
