package dev.sluice.trainer.worker;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.sluice.http.Json;
import dev.sluice.workerapi.LoadRequest;
import dev.sluice.workerapi.SaveRequest;
import dev.sluice.workerapi.ShutdownRequest;
import dev.sluice.workerapi.WorkerClient;
import dev.sluice.workerapi.WorkerErrorCode;
import dev.sluice.workerapi.WorkerException;
import dev.sluice.workerapi.WorkerHealth;
import java.io.File;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The worker of services/megatron-worker as the trainer meets it: torchrun, two ranks, and a worker without a model. */
class MegatronWorkerIT {
    private static final Path MODULE = Path.of(System.getProperty("sluice.root"), "services/megatron-worker");
    private static final String PYTHON = System.getenv().getOrDefault("SLUICE_PYTHON", "python3");
    private static final String IS_COMPLETE =
            "import sys, torch, safetensors, numpy, pytest; sys.exit(sys.version_info < (3, 12))";
    private static final String TOKEN = "a-token-of-tests";
    private static final Duration DEADLINE = Duration.ofMinutes(5);

    private static boolean complete;

    @TempDir
    private Path folder;

    @BeforeAll
    static void lookForPython() throws InterruptedException {
        complete = isComplete();
    }

    // Of each test: an assumption of the class would leave no test in the report, and nothing to say why.
    @BeforeEach
    void needsPython() {
        assumeTrue(
                complete,
                PYTHON + " is no Python of at least 3.12 with torch, safetensors, numpy and pytest, so"
                        + " services/megatron-worker is not tested; SLUICE_PYTHON may name one");
    }

    @Test
    void theClientDrivesTwoRanksFromTheFirstCallToTheLast() throws Exception {
        Process process = python(
                        "-m",
                        "torch.distributed.run",
                        "--standalone",
                        "--local-addr",
                        "127.0.0.1",
                        "--nproc-per-node",
                        "2",
                        "tests/small_worker.py",
                        "--data-root",
                        data(),
                        "--state-file",
                        stateFile().toString())
                .start();
        try {
            await().atMost(DEADLINE).until(() -> Files.exists(stateFile()) || !process.isAlive());
            WorkerClient client = client();
            WorkerHealth before = client.health(DEADLINE);
            assertThat(before).isEqualTo(new WorkerHealth(WorkerHealth.State.EMPTY, null, -1, -1, null, -1));
            assertThat(client.info(DEADLINE).worldSize()).isEqualTo(2);

            assertThat(client.load(load("load", data()), DEADLINE).parameters()).isEqualTo(2);
            assertRefused(WorkerErrorCode.PATH_REFUSED, () -> client.load(load("no-such", data() + "/none"), DEADLINE));
            SaveRequest asynchronous = new SaveRequest(1, "save", data() + "/slow", true);
            client.beginSave(asynchronous, DEADLINE);
            await().atMost(DEADLINE)
                    .until(() -> client.saved(asynchronous, DEADLINE).isPresent());
            assertRefused(
                    WorkerErrorCode.STALE_EPOCH,
                    () -> client.save(new SaveRequest(0, "old", data() + "/old"), DEADLINE));
            assertRefused(
                    WorkerErrorCode.UNAUTHORISED,
                    () -> WorkerClient.at(address(), "another").health(DEADLINE));
            assertThat(client.operation("save", DEADLINE).orElseThrow().ranks()).isNull();
            assertThat(client.operation("never", DEADLINE)).isEmpty();

            client.shutdown(new ShutdownRequest(1, "stop"), DEADLINE);

            assertThat(process.waitFor(DEADLINE.toSeconds(), TimeUnit.SECONDS)).isTrue();
            assertThat(process.exitValue()).as(log()).isZero();
        } finally {
            // The ranks die with it.
            process.destroyForcibly();
        }
    }

    @Test
    void theWorkersOwnTestsPass() throws IOException, InterruptedException {
        Process tests = python("-m", "pytest", "-q", "-p", "no:cacheprovider").start();

        assertThat(tests.waitFor()).as(log()).isZero();
    }

    private static void assertRefused(WorkerErrorCode code, ThrowingCallable call) {
        assertThatThrownBy(call)
                .isInstanceOfSatisfying(
                        WorkerException.class, e -> assertThat(e.code()).isEqualTo(code));
    }

    private LoadRequest load(String operationId, String checkpoint) {
        return LoadRequest.policy(1, operationId, "run", checkpoint, "/h");
    }

    private WorkerClient client() throws IOException {
        return WorkerClient.at(address(), TOKEN);
    }

    private URI address() throws IOException {
        return URI.create("http://127.0.0.1:"
                + Json.MAPPER.readTree(stateFile().toFile()).path("port").asInt());
    }

    private String data() {
        return folder.resolve("data").toString();
    }

    private Path stateFile() {
        return folder.resolve("run/worker.json");
    }

    private Path logFile() {
        return folder.resolve("log");
    }

    private String log() throws IOException {
        return Files.readString(logFile());
    }

    private ProcessBuilder python(String... arguments) {
        ProcessBuilder builder = command(arguments).redirectErrorStream(true);
        builder.environment().put("SLUICE_WORKER_TOKEN", TOKEN);
        builder.environment().put("OMP_NUM_THREADS", "1");
        return builder.redirectOutput(logFile().toFile());
    }

    private static ProcessBuilder command(String... arguments) {
        List<String> command = new ArrayList<>(List.of(PYTHON));
        command.addAll(List.of(arguments));
        ProcessBuilder builder = new ProcessBuilder(command).directory(MODULE.toFile());
        builder.environment().put("PYTHONDONTWRITEBYTECODE", "1");
        return builder.redirectInput(new File("/dev/null"));
    }

    private static boolean isComplete() throws InterruptedException {
        try {
            return command("-c", IS_COMPLETE)
                            .redirectErrorStream(true)
                            .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                            .start()
                            .waitFor()
                    == 0;
        } catch (IOException e) {
            return false;
        }
    }
}
