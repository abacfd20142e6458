package dev.sluice.cli.stack;

import dev.sluice.process.ChildCommand;
import dev.sluice.process.ChildExit;
import dev.sluice.process.ChildProcess;
import dev.sluice.process.PidFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** One service that is started again when it dies, until it is stopped or has died too often. */
final class SupervisedService {
    private final ServiceProgram program;
    private final WorkDirectory workDirectory;
    private final Consumer<String> says;
    private final RestartBudget budget = new RestartBudget();
    private final CompletableFuture<String> broken = new CompletableFuture<>();
    private @Nullable ChildProcess child;
    private boolean ready;
    private boolean stopping;

    /** @param says gets one line for each restart */
    SupervisedService(ServiceProgram program, WorkDirectory workDirectory, Consumer<String> says) {
        this.program = program;
        this.workDirectory = workDirectory;
        this.says = says;
    }

    ServiceProgram program() {
        return program;
    }

    String name() {
        return program.name();
    }

    /** Ends with the reason when the service cannot be kept alive. */
    CompletableFuture<String> broken() {
        return broken;
    }

    /** From now on its death is answered by a restart; before, it is taken for a start that failed. */
    synchronized void markReady() {
        ready = true;
    }

    synchronized void start() throws IOException {
        if (stopping) {
            return;
        }
        Files.deleteIfExists(workDirectory.stateFile(name())); // an earlier life listened elsewhere
        Path log = workDirectory.logFile(name());
        ChildProcess started = ChildProcess.start(
                ChildCommand.of(program.command(), workDirectory.path(), log).withEnvironment(program.environment()));
        child = started;
        started.exited().thenAccept(this::ended);
    }

    /** Where the running process listens, as it says itself. */
    Optional<PidFile> state() throws IOException {
        ChildProcess current = current();
        return current == null
                ? Optional.empty()
                : PidFile.read(workDirectory.stateFile(name())).filter(state -> state.pid() == current.pid());
    }

    synchronized @Nullable ChildProcess current() {
        return child;
    }

    private synchronized void ended(ChildExit exit) {
        if (stopping) {
            return;
        }
        Optional<Duration> delay = ready ? budget.next(Instant.now()) : Optional.empty();
        if (delay.isEmpty()) {
            broken.complete(
                    ready
                            ? "%s died %d times within a minute. The last time: %s"
                                    .formatted(name(), RestartBudget.RESTARTS + 1, exit.describe())
                            : "%s did not start: %s".formatted(name(), exit.describe()));
            return;
        }
        says.accept("%s (pid %d) ended with code %s; starting it again (%d of %d a minute), log in %s"
                .formatted(
                        name(),
                        exit.pid(),
                        exit.code().isPresent() ? exit.code().getAsInt() : "unknown",
                        budget.used(),
                        RestartBudget.RESTARTS,
                        workDirectory.logFile(name())));
        CompletableFuture.delayedExecutor(delay.get().toMillis(), TimeUnit.MILLISECONDS)
                .execute(this::startAgain);
    }

    private void startAgain() {
        try {
            start();
        } catch (IOException e) {
            broken.complete(name() + " cannot be started again: " + e.getMessage());
        }
    }

    /** No restart from now on. */
    synchronized void prepareStop() {
        stopping = true;
    }

    /** Ends the process and everything it started; after the grace with SIGKILL. */
    void stop(Duration grace) {
        prepareStop();
        ChildProcess current = current();
        if (current != null) {
            current.stop(grace);
        }
    }
}
