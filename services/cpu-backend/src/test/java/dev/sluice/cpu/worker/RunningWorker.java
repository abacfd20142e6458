package dev.sluice.cpu.worker;

import dev.sluice.checkpoint.Conversion;
import dev.sluice.checkpoint.Progress;
import dev.sluice.cpu.model.ParityFixtures;
import dev.sluice.workerapi.ExportRequest;
import dev.sluice.workerapi.FilesWritten;
import dev.sluice.workerapi.WorkerClient;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;

/** Tests of a real worker, each with a folder of its own in which the parity model lies converted. */
abstract class RunningWorker {
    static final String RUN = "sorting";
    static final Duration DEADLINE = Duration.ofSeconds(60);

    @TempDir
    Path folder;

    Path root;
    Path hugging;
    WorkerServer server;
    WorkerClient worker;

    @BeforeEach
    void startWorker() throws IOException {
        root = Files.createDirectories(folder.resolve("data"));
        hugging = ParityFixtures.huggingFaceDirectory();
        Conversion.toTorchDist(hugging, root.resolve("release"), Progress.NONE);
        start(new MemoryLimit(0));
    }

    @AfterEach
    void stopWorker() {
        server.close();
    }

    /** Another process in effect: nothing is loaded. */
    void restart(MemoryLimit memory) throws IOException {
        server.close();
        start(memory);
    }

    private void start(MemoryLimit memory) throws IOException {
        server = new WorkerServer(memory, root, hugging);
        worker = server.client();
    }

    FilesWritten export(String name) {
        int epoch = Math.max(0, worker.health(DEADLINE).epoch());
        return worker.export(new ExportRequest(epoch, "export-" + name, path(name), 1, "float32"), DEADLINE);
    }

    String path(String name) {
        return root.resolve(name).toString();
    }
}
