package dev.sluice.cli.replay;

import dev.sluice.cli.CommandFailure;
import dev.sluice.cli.stack.ReplayProgram;
import dev.sluice.domain.replay.ReplayLine;
import dev.sluice.domain.replay.ReplayOrder;
import dev.sluice.events.EventJson;
import dev.sluice.process.ChildProcess;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * A replay from its order to its end.
 *
 * @param directory to be made; everything of the replay lies there
 */
public record ReplayRun(ReplayProgram program, Path directory) {
    private static final Duration PAUSE = Duration.ofMillis(100);
    private static final Duration STOP_GRACE = Duration.ofSeconds(8);

    /**
     * Waits until all is trained.
     *
     * @param takes every line of the report as it comes
     * @throws CommandFailure with the reason if it cannot be done
     */
    public void run(ReplayOrder order, Consumer<ReplayLine> takes) throws IOException {
        Files.createDirectories(directory);
        EventJson.mapper().writeValue(directory.resolve("order.json").toFile(), order);
        Path report = Files.createFile(directory.resolve("report.jsonl"));
        ChildProcess process = program.start(directory);
        Thread stop = new Thread(() -> process.stop(STOP_GRACE), "stop-replay");
        Runtime.getRuntime().addShutdownHook(stop);
        @Nullable CommandFailure refused = null;
        try (BufferedReader lines = Files.newBufferedReader(report)) {
            boolean alive = true;
            while (alive) {
                alive = process.isAlive();
                refused = take(lines, takes, refused);
                LockSupport.parkNanos(PAUSE.toNanos());
            }
        }
        if (refused != null) {
            throw refused;
        }
        if (process.exited().join().code().orElse(-1) != 0) {
            throw CommandFailure.failed(
                    "the replay ended early: " + process.exited().join().describe());
        }
    }

    private static @Nullable CommandFailure take(
            BufferedReader lines, Consumer<ReplayLine> takes, @Nullable CommandFailure before) throws IOException {
        CommandFailure refused = before;
        // A line is written at once, so what can be read of it ends with it.
        for (String line = lines.readLine(); line != null; line = lines.readLine()) {
            ReplayLine read = EventJson.mapper().readValue(line, ReplayLine.class);
            if (read.impossible() != null) {
                refused = CommandFailure.usage(read.impossible());
            } else if (read.refused() != null) {
                refused = CommandFailure.failed(read.refused());
            }
            takes.accept(read);
        }
        return refused;
    }
}
