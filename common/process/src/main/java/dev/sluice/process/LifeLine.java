package dev.sluice.process;

import java.io.IOException;
import java.io.InputStream;
import java.time.Duration;
import java.util.function.IntConsumer;

/**
 * The child's end of a life line: its parent holds the other end of stdin open and writes nothing. When the parent ends,
 * in whatever way, stdin closes and the child ends too.
 */
public final class LifeLine {
    /** Set to {@link #STDIN} by a parent that holds the child's stdin open. */
    public static final String ENVIRONMENT_NAME = "SLUICE_LIFELINE";

    static final String STDIN = "stdin";
    private static final Duration STOP_DEADLINE = Duration.ofSeconds(8);
    private static final int EXIT_CODE_OVERDUE = 70;

    private LifeLine() {}

    /**
     * Watches stdin where the parent asked for it by {@code SLUICE_LIFELINE=stdin}, and otherwise does nothing (a person's
     * terminal or {@code /dev/null} is no life line).
     *
     * @param onEnd begins an orderly end of this process, such as {@code System.exit(0)}; the process is halted when it
     *     still runs 8 s later
     * @return whether stdin is watched
     */
    public static boolean watchStdin(Runnable onEnd) {
        if (!STDIN.equals(System.getenv(ENVIRONMENT_NAME))) {
            return false;
        }
        watch(System.in, onEnd, STOP_DEADLINE, code -> Runtime.getRuntime().halt(code));
        return true;
    }

    static void watch(InputStream in, Runnable onEnd, Duration stopDeadline, IntConsumer halt) {
        daemon("life-line", () -> {
            awaitEnd(in);
            daemon("life-line-deadline", () -> {
                try {
                    Thread.sleep(stopDeadline);
                    halt.accept(EXIT_CODE_OVERDUE);
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                }
            });
            onEnd.run();
        });
    }

    private static void awaitEnd(InputStream in) {
        byte[] ignored = new byte[512];
        try {
            while (in.read(ignored) >= 0) {
                // What a parent writes has no meaning.
            }
        } catch (IOException e) {
            // A broken pipe is an end as well.
        }
    }

    private static void daemon(String name, Runnable task) {
        Thread.ofPlatform().daemon().name(name).start(task);
    }
}
