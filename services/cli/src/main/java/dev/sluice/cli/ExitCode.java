package dev.sluice.cli;

/** What the command's exit code means; README.md lists the same. */
public final class ExitCode {
    /** What was asked for is done. */
    public static final int OK = 0;
    /** A run failed or was cancelled, or something broke; the message says what to do. */
    public static final int FAILED = 1;
    /** The command line or the request is not right; nothing was started. */
    public static final int USAGE = 2;
    /** Ended by Ctrl-C. The JVM gives this code by itself. */
    public static final int INTERRUPTED = 130;

    private ExitCode() {}
}
