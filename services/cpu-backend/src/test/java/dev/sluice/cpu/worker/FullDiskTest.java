package dev.sluice.cpu.worker;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assumptions.assumeThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import dev.sluice.checkpoint.Conversion;
import dev.sluice.checkpoint.Progress;
import dev.sluice.cpu.model.ParityFixtures;
import dev.sluice.http.Json;
import dev.sluice.workerapi.FilesWritten;
import dev.sluice.workerapi.LoadRequest;
import dev.sluice.workerapi.SaveRequest;
import dev.sluice.workerapi.WorkerClient;
import dev.sluice.workerapi.WorkerErrorCode;
import dev.sluice.workerapi.WorkerException;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Saves on file systems that really have no room: a small tmpfs of the worker's own, and a limit on the size of files. */
class FullDiskTest {
    private static final Duration DEADLINE = Duration.ofSeconds(30);
    private static final String SMALL_DISK = "mount -t tmpfs -o size=%dk tmpfs %s && exec \"$@\"";
    private static final String SMALL_FILES = "ulimit -f %d && exec \"$@\"";

    @TempDir
    private Path root;

    private Path data;
    private Path cuts;
    private String model;
    private @Nullable Process process;

    @BeforeEach
    void convert() throws IOException {
        model = ParityFixtures.huggingFaceDirectory().toString();
        data = Files.createDirectories(root.resolve("data"));
        cuts = Files.createDirectories(data.resolve("cuts"));
        Conversion.toTorchDist(Path.of(model), data.resolve("release"), Progress.NONE);
    }

    @AfterEach
    void endProcess() {
        if (process != null) {
            process.destroyForcibly();
        }
    }

    @Test
    void aCutThatDoesNotFitOnTheDiskIsRefusedWithTheBytesAndTheOlderOneStays() throws Exception {
        assumeThat(mayMount()).as("a namespace of one's own in which to mount").isTrue();
        long kib = bytesOfACut() * 3 / 2 / 1024;
        WorkerClient worker = start(List.of("unshare", "-Urm"), SMALL_DISK.formatted(kib, cuts));
        FilesWritten first =
                worker.save(new SaveRequest(0, "first", cuts.resolve("first").toString()), DEADLINE);

        assertThatThrownBy(() -> worker.save(
                        new SaveRequest(0, "second", cuts.resolve("second").toString()), DEADLINE))
                .isInstanceOfSatisfying(WorkerException.class, refused -> {
                    assertThat(refused.code()).isEqualTo(WorkerErrorCode.DISK_FULL);
                    assertThat(refused)
                            .hasMessageMatching("(?s).*second.* needs \\d+ bytes, but .* has \\d+ left.*free .*");
                });

        assertThat(worker.load(load("again").resumingFrom(first.dir()), DEADLINE)
                        .step())
                .isZero();
    }

    @Test
    void aWriteThatFailsHalfwayLeavesNothingThatLooksLikeACutAlsoBesideTraining() throws Exception {
        long kib = bytesOfACut() / 4 / 1024;
        WorkerClient worker = start(List.of(), SMALL_FILES.formatted(kib));
        SaveRequest beside = new SaveRequest(0, "beside", cuts.resolve("beside").toString(), true);

        assertThatThrownBy(() -> worker.save(
                        new SaveRequest(0, "cut", cuts.resolve("cut").toString()), DEADLINE))
                .isInstanceOfSatisfying(
                        WorkerException.class,
                        refused -> assertThat(refused.code()).isEqualTo(WorkerErrorCode.DISK_FULL))
                .hasMessageContaining("File too large");
        worker.beginSave(beside, DEADLINE);
        await().atMost(DEADLINE)
                .untilAsserted(() -> assertThatThrownBy(() -> worker.saved(beside, DEADLINE))
                        .hasMessageContaining("File too large"));

        try (var left = Files.walk(cuts)) {
            assertThat(left.filter(Files::isRegularFile)).isEmpty();
        }
    }

    private long bytesOfACut() throws IOException {
        try (WorkerServer server = new WorkerServer(data, Path.of(model))) {
            WorkerClient worker = server.client();
            worker.load(load("measuring"), DEADLINE);
            return worker.save(
                            new SaveRequest(
                                    0, "measured", data.resolve("measured").toString()),
                            DEADLINE)
                    .bytes();
        }
    }

    private boolean mayMount() throws Exception {
        List<String> command = List.of("unshare", "-Urm", "mount", "-t", "tmpfs", "tmpfs", cuts.toString());
        try {
            Process tried = new ProcessBuilder(command)
                    .redirectErrorStream(true)
                    .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                    .start();
            return tried.waitFor(DEADLINE.toSeconds(), TimeUnit.SECONDS) && tried.exitValue() == 0;
        } catch (IOException e) {
            return false;
        }
    }

    private LoadRequest load(String id) {
        return LoadRequest.policy(0, id, "run", data.resolve("release").toString(), model);
    }

    /** A worker with a model, behind a shell that narrows what it may write. */
    private WorkerClient start(List<String> wrapper, String limit) throws IOException {
        Path stateFile = root.resolve("worker.json");
        List<String> command = new ArrayList<>(wrapper);
        command.addAll(List.of("sh", "-c", limit, "sh"));
        command.addAll(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:+UseSerialGC",
                "-XX:-UsePerfData",
                "--enable-native-access=ALL-UNNAMED",
                "-cp",
                System.getProperty("java.class.path"),
                WorkerMain.class.getName(),
                "--data-root",
                data.toString(),
                "--allow-root",
                model,
                "--state-file",
                stateFile.toString()));
        ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
        builder.environment().remove(WorkerMain.TOKEN);
        process = builder.redirectOutput(root.resolve("log").toFile()).start();
        await().atMost(DEADLINE).until(() -> Files.exists(stateFile));
        JsonNode state = Json.MAPPER.readTree(stateFile.toFile());
        WorkerClient worker = WorkerClient.at(
                URI.create("http://127.0.0.1:" + state.path("port").asInt()), null);
        worker.load(load("load"), DEADLINE);
        return worker;
    }
}
