package dev.sluice.trainer.worker;

import dev.sluice.process.ChildProcess;
import dev.sluice.process.PidFile;
import dev.sluice.process.PortLease;
import dev.sluice.trainer.TrainerConfig;
import dev.sluice.trainer.run.RunFolders;
import dev.sluice.trainer.run.TrainedRun;
import dev.sluice.trainer.run.TrainingRefusedException;
import dev.sluice.workerapi.WorkerClient;
import dev.sluice.workerapi.WorkerErrorCode;
import dev.sluice.workerapi.WorkerException;
import dev.sluice.workerapi.WorkerHealth;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.time.Instant;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Starts the training worker of a run, or takes over the one that an earlier trainer left. The process is detached: it
 * survives a trainer that was killed, and ends by itself when no trainer calls it.
 */
public final class WorkerHost {
    private static final Duration FIRST_CALL = Duration.ofSeconds(2);
    private static final Duration POLL = Duration.ofMillis(50);
    private static final int TOKEN_BYTES = 32;
    private static final Logger LOG = LoggerFactory.getLogger(WorkerHost.class);

    private final TrainerConfig.Worker config;
    private final RunFolders folders;
    private final WorkerProgram program;

    /** @param roots directories whose files the worker may read and write; the data root first */
    public WorkerHost(TrainerConfig.Worker config, TrainedRun run, List<Path> roots) {
        this.config = config;
        this.folders = run.folders();
        this.program = new WorkerProgram(run, config, roots);
    }

    /**
     * Takes over a living worker that stands where the log says; ends one that does not.
     *
     * @param agrees whether a worker that has finished what it was doing stands where the log says
     */
    public Optional<Worker> attach(Predicate<WorkerHealth> agrees) throws InterruptedException {
        Optional<ChildProcess> left = leftBehind();
        if (left.isEmpty()) {
            return Optional.empty();
        }
        if (program.spansNodes()) {
            // What lives here says nothing of the ranks elsewhere.
            left.get().stop(config.stopDeadline());
            return Optional.empty();
        }
        Worker worker = worker(left.get(), readPidFile().orElseThrow(), readToken());
        try {
            WorkerHealth health = awaitIdle(worker.client());
            if (agrees.test(health)) {
                LOG.info("took over the worker pid={} step={}", left.get().pid(), health.step());
                return Optional.of(worker);
            }
            LOG.warn(
                    "the worker disagrees with the log and is ended pid={} health={}",
                    left.get().pid(),
                    health);
        } catch (WorkerException e) {
            LOG.warn(
                    "the worker does not answer and is ended pid={} error={}",
                    left.get().pid(),
                    e.getMessage());
        }
        worker.stop(config.stopDeadline());
        return Optional.empty();
    }

    private Optional<ChildProcess> leftBehind() {
        return readPidFile()
                .flatMap(pidFile -> ChildProcess.adopt(pidFile, program.command(pidFile.port(), readToken())));
    }

    private Optional<PidFile> readPidFile() {
        try {
            return PidFile.read(folders.worker());
        } catch (IOException e) {
            LOG.warn(
                    "the worker's pid file cannot be read and is ignored file={} error={}",
                    folders.worker(),
                    e.getMessage());
            return Optional.empty();
        }
    }

    private WorkerHealth awaitIdle(WorkerClient client) throws InterruptedException {
        long end = System.nanoTime() + config.callDeadline().toNanos();
        WorkerHealth health = client.health(FIRST_CALL);
        while (health.state() == WorkerHealth.State.WORKING && System.nanoTime() < end) {
            Thread.sleep(POLL);
            health = client.health(FIRST_CALL);
        }
        return health;
    }

    /**
     * Starts a worker after ending one that may be left.
     *
     * @throws TrainingRefusedException if no command is configured
     * @throws WorkerException if it does not answer by the deadline
     */
    public Worker start() throws InterruptedException {
        leftBehind().ifPresent(process -> process.stop(config.stopDeadline()));
        String token = newToken();
        Instant started = Instant.now();
        try (PortLease lease = PortLease.take(program.ports())) {
            Files.createDirectories(folders.root());
            ChildProcess process = ChildProcess.start(program.command(lease.port(), token));
            PidFile pidFile = PidFile.of(process, lease.port());
            writeToken(token);
            pidFile.write(folders.worker());
            Worker worker = worker(process, pidFile, token);
            awaitAnswer(process, worker.client());
            worker.answers(started);
            return worker;
        } catch (IOException e) {
            throw new UncheckedIOException("the training worker cannot be started: " + e.getMessage(), e);
        }
    }

    private void awaitAnswer(ChildProcess process, WorkerClient client) throws InterruptedException {
        long end = System.nanoTime() + program.startDeadline().toNanos();
        while (true) {
            try {
                client.health(FIRST_CALL);
                return;
            } catch (WorkerException e) {
                if (!process.isAlive()) {
                    throw failed("the training worker ended at its start: "
                            + process.exited().join().describe());
                }
                if (System.nanoTime() > end) {
                    process.stop(config.stopDeadline());
                    throw failed("the training worker gave no answer within %s: %s; see %s"
                            .formatted(program.startDeadline(), e.getMessage(), folders.workerLog()));
                }
                Thread.sleep(POLL);
            }
        }
    }

    private static WorkerException failed(String message) {
        return new WorkerException(WorkerErrorCode.UNREACHABLE, message, "");
    }

    /** Ends a worker that is not needed any more. */
    public void stop(Worker worker) {
        worker.stop(config.stopDeadline());
        deletePidFile();
    }

    /** Ends the run's worker, whoever started it, if one lives. */
    public void stopLeftBehind() {
        leftBehind().ifPresent(process -> process.stop(config.stopDeadline()));
        deletePidFile();
    }

    private void deletePidFile() {
        try {
            Files.deleteIfExists(folders.worker());
            Files.deleteIfExists(folders.workerToken());
        } catch (IOException e) {
            LOG.warn("the worker's pid file stays error={}", e.getMessage());
        }
    }

    private Worker worker(ChildProcess process, PidFile pidFile, String token) {
        WorkerClient client = WorkerClient.at(URI.create("http://127.0.0.1:" + pidFile.port()), token);
        return new Worker(process, client, folders.epoch(), config.keepAlive());
    }

    static String newToken() {
        byte[] token = new byte[TOKEN_BYTES];
        new java.security.SecureRandom().nextBytes(token);
        return HexFormat.of().formatHex(token);
    }

    private void writeToken(String token) throws IOException {
        Path file = folders.workerToken();
        Files.deleteIfExists(file);
        Files.createFile(file, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
        Files.writeString(file, token);
    }

    private String readToken() {
        try {
            return Files.readString(folders.workerToken());
        } catch (IOException e) {
            // Without it the worker refuses every call, and is ended for that.
            return "";
        }
    }
}
