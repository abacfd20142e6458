package dev.sluice.cpu.worker;

import dev.sluice.cpu.http.JsonServer;
import dev.sluice.http.Json;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** The training worker on the CPU: serves the training-worker API until it is told to stop or its trainer is gone. */
@Command(name = "worker", description = "Trains a policy on libtorch, driven over HTTP.", sortOptions = false)
public final class WorkerMain implements Callable<Integer> {
    /** Environment variable with the bearer token that callers must send. */
    static final String TOKEN = "SLUICE_WORKER_TOKEN";

    private static final long MAX_BODY_BYTES = 8 << 20;
    private static final Duration LEASE_CHECK = Duration.ofMillis(500);
    private static final Duration LAST_ANSWER = Duration.ofMillis(200);
    private static final System.Logger LOG = System.getLogger(WorkerMain.class.getName());

    @Option(names = "--host", defaultValue = "127.0.0.1", description = "Address to listen on (${DEFAULT-VALUE}).")
    private String host = "127.0.0.1";

    @Option(names = "--port", defaultValue = "0", description = "Port to listen on; 0 takes a free one.")
    private int port;

    @Option(names = "--state-file", description = "Where to write {pid, port, startTime} once it listens.")
    private @Nullable Path stateFile;

    @Option(names = "--data-root", required = true, description = "Folder that calls may name paths in.")
    private Path dataRoot = Path.of("");

    @Option(names = "--allow-root", description = "A further such folder; repeatable.")
    private List<Path> allowedRoots = new ArrayList<>();

    @Option(names = "--lease", defaultValue = "60s", description = "Stops when no call came for so long (60s, 5m).")
    private String lease = "60s";

    @Option(
            names = "--memory-limit",
            defaultValue = "0",
            description = "MiB of resident memory above which a pass fails as out of memory; 0 is no limit.")
    private long memoryLimit;

    private final CountDownLatch stop = new CountDownLatch(1);

    public static void main(String[] arguments) {
        System.exit(new CommandLine(new WorkerMain()).execute(arguments));
    }

    @Override
    public Integer call() throws Exception {
        String token = System.getenv(TOKEN);
        if (token == null
                && !InetSocketAddress.createUnresolved(host, port)
                        .getHostString()
                        .startsWith("127.")) {
            LOG.log(
                    System.Logger.Level.ERROR,
                    "--host " + host + " can be reached from outside but " + TOKEN + " is not set; set it to a secret");
            return 2;
        }
        Files.createDirectories(dataRoot);
        List<Path> roots = new ArrayList<>(allowedRoots);
        roots.add(dataRoot);
        Lease granted = new Lease(duration(lease), System::nanoTime);
        TrainingWorker worker = new TrainingWorker(new AllowedRoots(roots), new MemoryLimit(memoryLimit));
        try (Operations operations = new Operations()) {
            WorkerRoutes routes = new WorkerRoutes(worker, operations, granted, stop::countDown);
            JsonServer.Settings settings =
                    new JsonServer.Settings(new InetSocketAddress(host, port), MAX_BODY_BYTES, token);
            try (JsonServer server = JsonServer.start(settings, routes.routes(), WorkerRoutes::wording)) {
                announce(server.address().getPort());
                await(granted, operations);
            }
        }
        return 0;
    }

    private void await(Lease granted, Operations operations) throws InterruptedException {
        while (!stop.await(LEASE_CHECK.toMillis(), TimeUnit.MILLISECONDS)) {
            if (granted.isOver() && !operations.isWorking()) {
                LOG.log(
                        System.Logger.Level.WARNING,
                        "stopping: no call for {0}, the trainer is gone",
                        granted.length());
                return;
            }
        }
        // The call that asked for the stop still waits for its answer.
        Thread.sleep(LAST_ANSWER);
    }

    private void announce(int boundPort) throws IOException {
        LOG.log(System.Logger.Level.INFO, "training worker listens on http://{0}:{1,number,#}", host, boundPort);
        if (stateFile == null) {
            return;
        }
        ProcessHandle self = ProcessHandle.current();
        String startTime = self.info().startInstant().orElse(Instant.EPOCH).toString();
        Path target = stateFile.toAbsolutePath();
        Files.createDirectories(target.getParent());
        Path partial = target.resolveSibling(target.getFileName() + "." + self.pid() + ".tmp");
        Files.write(
                partial,
                Json.MAPPER.writeValueAsBytes(Map.of("pid", self.pid(), "port", boundPort, "startTime", startTime)));
        Files.move(partial, target, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    }

    /** Reads {@code 60s}, {@code 5m} or an ISO duration. */
    private static Duration duration(String text) {
        String upper = text.toUpperCase(Locale.ROOT);
        return Duration.parse(upper.startsWith("P") ? upper : "PT" + upper);
    }
}
