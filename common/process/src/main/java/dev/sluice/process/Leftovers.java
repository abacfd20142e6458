package dev.sluice.process;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.stream.Stream;

/** Ends what an earlier life left running, as its pid files tell. */
public final class Leftovers {
    private static final int MAXIMUM_FILES = 10_000;
    private static final Duration GRACE = Duration.ofSeconds(10);
    private static final Duration KILL_DEADLINE = Duration.ofSeconds(10);

    private Leftovers() {}

    /** As {@link #sweep(Path, Duration)} with ten seconds to end in order. */
    public static List<PidFile> sweep(Path directory) throws IOException {
        return sweep(directory, GRACE);
    }

    /**
     * Stops every process that a {@code *.json} pid file in the directory names by pid <em>and</em> start time, with all
     * it started, and deletes the pid files. A reused pid is never touched, nor is this process.
     *
     * @param grace between SIGTERM to all of them and SIGKILL
     * @return the processes that were stopped
     */
    public static List<PidFile> sweep(Path directory, Duration grace) throws IOException {
        List<Leftover> leftovers = new ArrayList<>();
        for (Path file : pidFiles(directory)) {
            find(file).ifPresent(leftovers::add);
            Files.deleteIfExists(file);
        }
        leftovers.forEach(leftover -> leftover.process().destroy());
        long deadline = System.nanoTime() + grace.toNanos();
        leftovers.forEach(leftover -> leftover.end(deadline - System.nanoTime()));
        return leftovers.stream().map(Leftover::pidFile).toList();
    }

    private static Optional<Leftover> find(Path file) {
        try {
            return PidFile.read(file)
                    .filter(pidFile -> pidFile.pid() != ProcessHandle.current().pid())
                    .flatMap(pidFile -> pidFile.process()
                            // The family is read while its leader lives: it is the leader's environment that names it.
                            .map(process -> new Leftover(pidFile, process, Family.of(process))));
        } catch (IOException e) {
            // No pid file, or half of one: it names nothing that could be stopped.
            return Optional.empty();
        }
    }

    private record Leftover(PidFile pidFile, ProcessHandle process, Family family) {
        void end(long graceNanos) {
            try {
                Running.end(process).get(Math.max(0, graceNanos), TimeUnit.NANOSECONDS);
            } catch (TimeoutException | ExecutionException e) {
                // Killed below.
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
            family.kill(KILL_DEADLINE);
        }
    }

    private static List<Path> pidFiles(Path directory) throws IOException {
        if (!Files.isDirectory(directory)) {
            return List.of();
        }
        try (Stream<Path> files = Files.list(directory)) {
            return files.filter(file -> file.getFileName().toString().endsWith(".json"))
                    .limit(MAXIMUM_FILES)
                    .toList();
        }
    }
}
