package dev.sluice.process;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/**
 * A running child process in a session of its own, so that the terminal's SIGINT reaches only us and we stop children in
 * our order. Output goes to the log file without passing through us: a detached child can outlive its parent.
 */
public final class ChildProcess {
    private static final Duration KILL_DEADLINE = Duration.ofSeconds(10);

    // Ends the program when stdin closes. The guard keeps the group alive, so the kernel cannot reuse its number.
    private static final String GUARD = """
            exec 3<&0
            (cat <&3 >/dev/null; kill -s TERM $$
             n=0; while kill -s 0 $$ && [ $n -lt 50 ]; do n=$((n+1)); sleep 0.2; done
             kill -s KILL -- -$$) 2>/dev/null &
            exec "$@" </dev/null 3<&-
            """;

    private final ChildCommand command;
    private final ProcessHandle handle;
    private final @Nullable Process process;
    private final Family family;
    private final LogTail output;
    private final CompletableFuture<ChildExit> exited;

    private ChildProcess(
            ChildCommand command, ProcessHandle handle, @Nullable Process process, Family family, LogTail output) {
        this.command = command;
        this.handle = handle;
        this.process = process;
        this.family = family;
        this.output = output;
        CompletableFuture<OptionalInt> code = process == null
                ? Running.end(handle).thenApply(ended -> OptionalInt.empty())
                : process.onExit().thenApply(ended -> OptionalInt.of(ended.exitValue()));
        this.exited = code.thenApply(
                value -> new ChildExit(command.arguments(), handle.pid(), value, output.lines(ChildExit.LAST_LINES)));
    }

    /**
     * Starts a child.
     *
     * @throws IOException if the program or the working directory is missing, or the log file cannot be written
     */
    public static ChildProcess start(ChildCommand command) throws IOException {
        if (!Files.isDirectory(command.workingDirectory())) {
            throw new IOException("The working directory " + command.workingDirectory() + " for '"
                    + command.arguments().getFirst() + "' does not exist; create it.");
        }
        requireProgram(command);
        Path logFile = command.logFile().toAbsolutePath();
        Files.createDirectories(logFile.getParent());
        LogTail output = LogTail.fromNow(logFile);
        ProcessBuilder builder = new ProcessBuilder(commandLine(command))
                .directory(command.workingDirectory().toFile())
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.appendTo(logFile.toFile()));
        Map<String, String> environment = builder.environment();
        String mark = Family.newMark();
        String marks = Family.environmentValue(mark, command.life(), environment);
        environment.putAll(command.environment());
        environment.put(Family.ENVIRONMENT_NAME, marks);
        environment.remove(LifeLine.ENVIRONMENT_NAME);
        switch (command.life()) {
            case STDIN -> environment.put(LifeLine.ENVIRONMENT_NAME, LifeLine.STDIN);
            case GUARDED -> {}
            case DETACHED -> builder.redirectInput(new File("/dev/null"));
        }
        Process process = builder.start();
        return new ChildProcess(command, process.toHandle(), process, new Family(process.pid(), mark), output);
    }

    /** Takes over a process that an earlier life of this service started, if the pid file's process still runs. */
    public static Optional<ChildProcess> adopt(PidFile pidFile, ChildCommand command) {
        return pidFile.process()
                .map(handle ->
                        new ChildProcess(command, handle, null, Family.of(handle), new LogTail(command.logFile(), 0)));
    }

    public long pid() {
        return handle.pid();
    }

    /** When the operating system started it; with the pid it names this process and no later one. */
    public Instant startTime() {
        return handle.info().startInstant().orElse(Instant.EPOCH);
    }

    public boolean isAlive() {
        return Running.is(handle);
    }

    public ChildCommand command() {
        return command;
    }

    /** Completes when the process has ended, in whatever way. */
    public CompletableFuture<ChildExit> exited() {
        return exited.copy();
    }

    /** The newest lines of its output, oldest first. */
    public List<String> lastLines(int atMost) {
        return output.lines(atMost);
    }

    /**
     * Closes stdin and sends SIGTERM; after the grace, SIGKILL to the process group and everything the child started.
     * What the child left behind is killed too where it ended in time. An interrupt ends the grace.
     *
     * @throws IllegalStateException if a process survives SIGKILL for ten seconds
     */
    public ChildExit stop(Duration grace) {
        terminate();
        boolean interrupted = false;
        try {
            exited.get(grace.toMillis(), TimeUnit.MILLISECONDS);
        } catch (TimeoutException e) {
            // Killed below.
        } catch (InterruptedException e) {
            interrupted = true;
        } catch (ExecutionException e) {
            throw new IllegalStateException("Waiting for the end of process " + pid() + " failed", e);
        }
        family.kill(KILL_DEADLINE);
        ChildExit exit = exited.orTimeout(KILL_DEADLINE.toMillis(), TimeUnit.MILLISECONDS)
                .join();
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
        return exit;
    }

    private void terminate() {
        // Process.destroy would close stdin as well, and the guard would send a second SIGTERM.
        handle.destroy();
        if (process != null && command.life() == Life.STDIN) {
            try {
                process.getOutputStream().close();
            } catch (IOException e) {
                // The child closed its end first.
            }
        }
    }

    private static List<String> commandLine(ChildCommand command) {
        List<String> line = new ArrayList<>();
        if (findOnPath("setsid", System.getenv("PATH")).isPresent()) {
            line.add("setsid");
        }
        if (command.life() == Life.GUARDED) {
            line.addAll(List.of("sh", "-c", GUARD, "sh"));
        }
        line.addAll(command.arguments());
        return line;
    }

    private static void requireProgram(ChildCommand command) throws IOException {
        String program = command.arguments().getFirst();
        String path = command.environment().getOrDefault("PATH", System.getenv("PATH"));
        boolean found = program.contains("/")
                ? Files.isExecutable(command.workingDirectory().resolve(program))
                : findOnPath(program, path).isPresent();
        if (!found) {
            throw new IOException("There is no program '" + program + "' "
                    + (program.contains("/") ? "in " + command.workingDirectory() : "on PATH (" + path + ")")
                    + "; install it or correct the configured command.");
        }
    }

    private static Optional<Path> findOnPath(String program, @Nullable String path) {
        return Arrays.stream((path == null ? "" : path).split(File.pathSeparator))
                .filter(folder -> !folder.isEmpty())
                .map(folder -> Path.of(folder, program))
                .filter(Files::isExecutable)
                .findFirst();
    }
}
