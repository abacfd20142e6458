package dev.sluice.process;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;

/**
 * Whether a process still runs. Java calls a zombie alive, and in a container whose first process collects no children
 * an orphan stays one for ever.
 */
final class Running {
    private static final Duration POLL = Duration.ofMillis(50);

    private Running() {}

    static boolean is(ProcessHandle process) {
        return process.isAlive() && !isZombie(process.pid());
    }

    /** Completes when a process that is not our child has ended; the system tells only a parent, so we look. */
    static CompletableFuture<ProcessHandle> end(ProcessHandle process) {
        CompletableFuture<ProcessHandle> ended = new CompletableFuture<>();
        Thread.ofVirtual().name("await-end-" + process.pid()).start(() -> {
            try {
                while (is(process)) {
                    Thread.sleep(POLL);
                }
                ended.complete(process);
            } catch (InterruptedException e) {
                ended.completeExceptionally(e);
            }
        });
        return ended;
    }

    private static boolean isZombie(long pid) {
        try {
            // pid (command) state ...; the command itself may hold parentheses.
            String stat = new String(Files.readAllBytes(Path.of("/proc", Long.toString(pid), "stat")), ISO_8859_1);
            return stat.startsWith(") Z", stat.lastIndexOf(')'));
        } catch (IOException e) {
            // No /proc on this system, or the process is gone and isAlive says so.
            return false;
        }
    }
}
