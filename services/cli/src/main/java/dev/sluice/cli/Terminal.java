package dev.sluice.cli;

import java.io.PrintWriter;

/**
 * Where a command writes. With {@code --json} stdout carries the one JSON document alone, and what is said on the way goes
 * to stderr.
 */
public final class Terminal {
    private static final String ERASE_LINE = "\r\u001b[K";

    private static final int COLUMNS = Math.max(20, Integer.getInteger("sluice.columns", 80));

    private final PrintWriter out;
    private final PrintWriter err;
    private final boolean interactive;
    private boolean json;
    private boolean onProgressLine;

    /** @param interactive stdout is a terminal whose last line may be written over */
    public Terminal(PrintWriter out, PrintWriter err, boolean interactive) {
        this.out = out;
        this.err = err;
        this.interactive = interactive;
    }

    static Terminal ofThisProcess() {
        return new Terminal(
                new PrintWriter(System.out, true),
                new PrintWriter(System.err, true),
                Boolean.getBoolean("sluice.terminal"));
    }

    /** For a step on the way to this one's result: its own result is something said, and no JSON. */
    synchronized Terminal aside() {
        return new Terminal(json ? err : out, err, interactive && !json);
    }

    synchronized void useJson() {
        json = true;
    }

    /** Columns that a line may have. */
    public int columns() {
        return COLUMNS;
    }

    public synchronized boolean json() {
        return json;
    }

    /** Whether {@link #progress} writes over its last line. */
    public synchronized boolean interactive() {
        return interactive && !json;
    }

    /** The result: a line of text, or the JSON document. */
    public synchronized void result(String text) {
        leaveProgressLine();
        out.println(text);
    }

    /** What happens on the way to the result. */
    public synchronized void say(String text) {
        leaveProgressLine();
        (json ? err : out).println(text);
    }

    /** As {@link #say}; on a terminal the next text takes its place. */
    public synchronized void progress(String text) {
        if (interactive()) {
            // A line that wraps could not be erased.
            out.print(ERASE_LINE + text.substring(0, Math.min(text.length(), COLUMNS - 1)));
            out.flush();
            onProgressLine = true;
        } else {
            say(text);
        }
    }

    /** What is to be known about a result that may go on to another program, on stderr. */
    public synchronized void remark(String text) {
        leaveProgressLine();
        err.println(text);
    }

    /** What went wrong, on stderr. */
    public synchronized void error(String text) {
        leaveProgressLine();
        err.println("sluice: " + text);
    }

    private void leaveProgressLine() {
        if (onProgressLine) {
            out.println();
            onProgressLine = false;
        }
    }
}
