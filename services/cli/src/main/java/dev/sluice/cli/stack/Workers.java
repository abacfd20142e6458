package dev.sluice.cli.stack;

import dev.sluice.process.ChildCommand;
import dev.sluice.process.ChildProcess;
import dev.sluice.process.PidFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.stream.Stream;

/**
 * Training workers outlive their trainer on purpose, so that a restarted one can re-attach. When the whole stack ends they
 * have to go too.
 */
final class Workers {
    private static final int MAXIMUM_RUNS = 10_000;

    private Workers() {}

    /** Ends every worker that a run's {@code worker.json} under the data root names by pid and start time. */
    static void stopAll(Path dataRoot, Duration grace) throws IOException {
        Path runs = dataRoot.resolve("runs");
        if (!Files.isDirectory(runs)) {
            return;
        }
        List<Path> stateFiles;
        try (Stream<Path> directories = Files.list(runs)) {
            stateFiles = directories
                    .map(run -> run.resolve("worker.json"))
                    .filter(Files::isRegularFile)
                    .limit(MAXIMUM_RUNS)
                    .toList();
        }
        for (Path stateFile : stateFiles) {
            stop(stateFile, grace);
        }
    }

    private static void stop(Path stateFile, Duration grace) throws IOException {
        PidFile worker;
        try {
            worker = PidFile.read(stateFile).orElseThrow();
        } catch (IOException e) {
            return; // half of a file names no process
        }
        Path run = stateFile.toAbsolutePath().getParent();
        ChildCommand command = ChildCommand.of(List.of("worker"), run, run.resolve("logs/worker.log"));
        ChildProcess.adopt(worker, command).ifPresent(process -> process.stop(grace));
    }
}
