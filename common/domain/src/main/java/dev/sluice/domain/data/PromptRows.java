package dev.sluice.domain.data;

import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

/**
 * The rows of a prompt file: JSON objects, one a line; empty lines are skipped.
 *
 * @param rows the usable rows in the file's order
 * @param summary what the file holds, broken lines included
 */
public record PromptRows(List<PromptRow> rows, Summary summary) {
    /** The longest line that is read, 1 MiB. */
    public static final int MAX_LINE_BYTES = 1 << 20;

    /** The most lines that are read. */
    public static final int MAX_ROWS = 5_000_000;

    /** Different problems that are kept; further ones are counted. */
    public static final int MAX_REPORTED = 20;

    public PromptRows {
        rows = List.copyOf(rows);
    }

    /**
     * What a file holds.
     *
     * @param usable rows with a prompt and a label
     * @param broken lines without
     * @param problems the first {@value #MAX_REPORTED} kinds of broken lines, each with its first line: a wrong key, which
     *     breaks every line, must not hide the one line that is no JSON
     * @param longestPromptBytes UTF-8 bytes of the longest usable prompt, 0 without any
     * @param conversations usable rows whose prompt is a list of messages
     */
    public record Summary(
            int usable, int broken, List<RowProblem> problems, long longestPromptBytes, int conversations) {
        public Summary {
            problems = List.copyOf(problems);
        }

        /** Of plain texts. */
        public Summary(int usable, int broken, List<RowProblem> problems, long longestPromptBytes) {
            this(usable, broken, problems, longestPromptBytes, 0);
        }

        /** Broken lines that no problem tells of. */
        public int untold() {
            return broken
                    - problems.stream().mapToInt(problem -> 1 + problem.alike()).sum();
        }
    }

    /** Reads a whole file; the caller closes it. */
    public static PromptRows read(InputStream file, RowKeys keys) throws IOException {
        List<PromptRow> rows = new ArrayList<>();
        Summary summary = scan(file, keys, rows::add);
        return new PromptRows(rows, summary);
    }

    /** Reads a file without keeping it: hands on each usable row and returns what was seen; the caller closes it. */
    public static Summary scan(InputStream file, RowKeys keys, Consumer<PromptRow> usable) throws IOException {
        return new PromptScan(keys, usable).run(new BoundedLines(file));
    }
}
