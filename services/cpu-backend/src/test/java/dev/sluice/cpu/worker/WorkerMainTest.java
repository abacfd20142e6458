package dev.sluice.cpu.worker;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import dev.sluice.checkpoint.Conversion;
import dev.sluice.checkpoint.Progress;
import dev.sluice.cpu.model.ParityFixtures;
import dev.sluice.http.Json;
import dev.sluice.workerapi.BatchFile;
import dev.sluice.workerapi.ExportRequest;
import dev.sluice.workerapi.LoadRequest;
import dev.sluice.workerapi.LossConfig;
import dev.sluice.workerapi.ModelRole;
import dev.sluice.workerapi.ShutdownRequest;
import dev.sluice.workerapi.TrainRequest;
import dev.sluice.workerapi.WorkerClient;
import dev.sluice.workerapi.WorkerHealth;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Starts the real program as the trainer does. */
class WorkerMainTest {
    private static final Duration DEADLINE = Duration.ofSeconds(20);

    @TempDir
    private Path root;

    private Process process;

    @AfterEach
    void endProcess() {
        if (process != null) {
            process.destroyForcibly();
        }
    }

    @Test
    void itSaysWhereItListensAndEndsWhenAsked() throws Exception {
        process = start("--lease", "60s");
        WorkerClient client = client();

        WorkerHealth health = client.health(DEADLINE);
        client.shutdown(new ShutdownRequest(0, "stop"), DEADLINE);

        assertThat(health).isEqualTo(new WorkerHealth(WorkerHealth.State.EMPTY, null, -1, -1, null, -1));
        assertThat(process.waitFor(20, TimeUnit.SECONDS)).isTrue();
        assertThat(process.exitValue()).isZero();
    }

    @Test
    void anotherProcessGivesTheSameBits() throws Exception {
        Path data = Files.createDirectories(root.resolve("data"));
        Conversion.toTorchDist(ParityFixtures.huggingFaceDirectory(), data.resolve("release"), Progress.NONE);
        for (int step = 1; step <= 2; step++) {
            BatchFile.write(data.resolve("batch-" + step), Batches.of("run", step, 2));
        }

        String once = weightsAfterTwoSteps(data, 1);
        String again = weightsAfterTwoSteps(data, 2);

        assertThat(again).isEqualTo(once);
    }

    private String weightsAfterTwoSteps(Path data, int life) throws Exception {
        String model = ParityFixtures.huggingFaceDirectory().toString();
        process = start("--allow-root", model);
        WorkerClient client = client();
        client.load(
                LoadRequest.policy(life, "load", "run", data.resolve("release").toString(), model), DEADLINE);
        for (int step = 1; step <= 2; step++) {
            String batch = data.resolve("batch-" + step).toString();
            LossConfig loss = LossConfig.grpo(1e-3, 0.2);
            client.train(new TrainRequest(life, "train-" + step, step, batch, ModelRole.POLICY, loss), DEADLINE);
        }
        String folder = data.resolve("weights-" + life).toString();
        String sha256 = client.export(new ExportRequest(life, "export", folder, 1, "float32"), DEADLINE)
                .manifestSha256();
        client.shutdown(new ShutdownRequest(life, "stop"), DEADLINE);
        assertThat(process.waitFor(20, TimeUnit.SECONDS)).isTrue();
        Files.delete(stateFile());
        return sha256;
    }

    @Test
    void itEndsByItselfWhenNobodyCalls() throws Exception {
        process = start("--lease", "1s");

        assertThat(process.waitFor(30, TimeUnit.SECONDS)).isTrue();
        assertThat(process.exitValue()).isZero();
        assertThat(Files.readString(root.resolve("log"))).contains("no call for PT1S, the trainer is gone");
    }

    @Test
    void itRefusesToListenOutsideWithoutAToken() throws Exception {
        process = start("--host", "0.0.0.0");

        assertThat(process.waitFor(30, TimeUnit.SECONDS)).isTrue();
        assertThat(process.exitValue()).isEqualTo(2);
        assertThat(Files.readString(root.resolve("log"))).contains("SLUICE_WORKER_TOKEN is not set");
    }

    private Process start(String... flags) throws IOException {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx64m",
                "-XX:+UseSerialGC",
                "--enable-native-access=ALL-UNNAMED",
                "-cp",
                System.getProperty("java.class.path"),
                WorkerMain.class.getName(),
                "--data-root",
                root.resolve("data").toString(),
                "--state-file",
                stateFile().toString()));
        command.addAll(List.of(flags));
        ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
        builder.environment().remove(WorkerMain.TOKEN);
        return builder.redirectOutput(root.resolve("log").toFile()).start();
    }

    private WorkerClient client() throws IOException {
        await().atMost(DEADLINE).until(() -> Files.exists(stateFile()));
        JsonNode state = Json.MAPPER.readTree(stateFile().toFile());
        assertThat(state.path("pid").asLong()).isEqualTo(process.pid());
        return WorkerClient.at(
                URI.create("http://127.0.0.1:" + state.path("port").asInt()), null);
    }

    private Path stateFile() {
        return root.resolve("run/worker.json");
    }
}
