package dev.sluice.process;

import java.util.List;
import java.util.OptionalInt;

/**
 * How a child process ended.
 *
 * @param command what was started
 * @param pid its process id
 * @param code the exit code, 128 + n for signal n; empty for an adopted process, whose code only its parent learns
 * @param lastLines its last lines of output, at most {@value #LAST_LINES}, oldest first
 */
public record ChildExit(List<String> command, long pid, OptionalInt code, List<String> lastLines) {
    /** Lines of output that are kept of a child that ended. */
    public static final int LAST_LINES = 20;

    private static final int SIGNAL_BASE = 128;

    public ChildExit {
        command = List.copyOf(command);
        lastLines = List.copyOf(lastLines);
    }

    /** Whether it ended by itself and content. */
    public boolean clean() {
        return code.isPresent() && code.getAsInt() == 0;
    }

    /** Command, pid, exit code and last lines, for a message that a person reads. */
    public String describe() {
        String ending = code.isEmpty() ? "ended (its exit code is unknown)" : "ended with " + explain(code.getAsInt());
        String output = lastLines.isEmpty()
                ? "It wrote nothing."
                : "Its last " + lastLines.size() + " lines:\n  " + String.join("\n  ", lastLines);
        return "'" + String.join(" ", command) + "' (pid " + pid + ") " + ending + ". " + output;
    }

    private static String explain(int code) {
        return switch (code - SIGNAL_BASE) {
            case 6 -> "code 134 (SIGABRT)";
            case 9 -> "code 137 (SIGKILL; where nobody sent it, the kernel ran out of memory)";
            case 11 -> "code 139 (SIGSEGV)";
            case 15 -> "code 143 (SIGTERM)";
            default -> "code " + code;
        };
    }
}
