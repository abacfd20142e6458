package dev.sluice.cpu.worker;

import dev.sluice.cpu.http.JsonServer;
import dev.sluice.workerapi.WorkerClient;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CountDownLatch;

/** A real worker on a free port of this JVM. */
final class WorkerServer implements AutoCloseable {
    static final String TOKEN = "test-token";

    private final Operations operations = new Operations();
    private final CountDownLatch stopped = new CountDownLatch(1);
    private final JsonServer server;

    WorkerServer(Path... roots) throws IOException {
        this(new MemoryLimit(0), roots);
    }

    WorkerServer(MemoryLimit memory, Path... roots) throws IOException {
        TrainingWorker worker = new TrainingWorker(new AllowedRoots(List.of(roots)), memory);
        Lease lease = new Lease(Duration.ofMinutes(1), System::nanoTime);
        WorkerRoutes routes = new WorkerRoutes(worker, operations, lease, stopped::countDown);
        server = JsonServer.start(
                new JsonServer.Settings(new InetSocketAddress("127.0.0.1", 0), 1 << 20, TOKEN),
                routes.routes(),
                WorkerRoutes::wording);
    }

    WorkerClient client() {
        return client(TOKEN);
    }

    WorkerClient client(String token) {
        return WorkerClient.at(URI.create("http://127.0.0.1:" + server.address().getPort()), token);
    }

    boolean wasToldToStop() {
        return stopped.getCount() == 0;
    }

    @Override
    public void close() {
        server.close();
        operations.close();
    }
}
