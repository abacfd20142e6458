package dev.sluice.cli;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;

/** Columns as wide as their widest cell, or wrapped to a width. */
public final class TextTable {
    private static final String GAP = "  ";

    private final List<List<String>> rows = new ArrayList<>();

    public TextTable(String... headings) {
        rows.add(List.of(headings));
    }

    /** @param cells as many as there are headings */
    public void row(Object... cells) {
        if (cells.length != rows.getFirst().size()) {
            throw new IllegalArgumentException(
                    cells.length + " cells in a table of " + rows.getFirst().size() + " columns");
        }
        rows.add(Arrays.stream(cells).map(String::valueOf).toList());
    }

    @Override
    public String toString() {
        int[] widths = widths();
        return rows.stream().map(row -> line(row, widths)).collect(Collectors.joining("\n"));
    }

    /**
     * The table with no line longer than this: the widest columns give way first and their cells go on below.
     *
     * @param columns at least 3 for each column of the table
     */
    public List<String> lines(int columns) {
        int[] widths = widths();
        narrow(widths, columns - GAP.length() * (widths.length - 1));
        List<String> lines = new ArrayList<>();
        for (List<String> row : rows) {
            lines.addAll(wrapped(row, widths));
        }
        return lines;
    }

    private int[] widths() {
        int[] widths = new int[rows.getFirst().size()];
        for (List<String> row : rows) {
            for (int column = 0; column < widths.length; column++) {
                widths[column] = Math.max(widths[column], row.get(column).length());
            }
        }
        return widths;
    }

    /** Takes from the widest column that its words leave room in, and cuts words only where there is no such column. */
    private void narrow(int[] widths, int room) {
        if (room < widths.length) {
            throw new IllegalArgumentException(room + " characters for " + widths.length + " columns");
        }
        int[] words = new int[widths.length];
        Arrays.setAll(words, this::longestWord);
        for (int excess = Arrays.stream(widths).sum() - room; excess > 0; excess--) {
            int widest = 0;
            for (int column = 1; column < widths.length; column++) {
                boolean gives = widths[column] > words[column];
                boolean otherGives = widths[widest] > words[widest];
                widest = gives == otherGives && widths[column] > widths[widest] || gives && !otherGives
                        ? column
                        : widest;
            }
            widths[widest]--;
        }
    }

    private int longestWord(int column) {
        return rows.stream()
                .flatMap(row -> Arrays.stream(row.get(column).split("\\s+")))
                .mapToInt(String::length)
                .max()
                .orElse(0);
    }

    private static List<String> wrapped(List<String> row, int[] widths) {
        List<List<String>> cells = new ArrayList<>();
        for (int column = 0; column < widths.length; column++) {
            cells.add(Wrapped.lines(row.get(column), Math.max(1, widths[column])));
        }
        int height = cells.stream().mapToInt(List::size).max().orElse(0);
        List<String> lines = new ArrayList<>();
        for (int i = 0; i < height; i++) {
            int at = i;
            lines.add(line(
                    cells.stream()
                            .map(cell -> at < cell.size() ? cell.get(at) : "")
                            .toList(),
                    widths));
        }
        return lines;
    }

    private static String line(List<String> row, int[] widths) {
        StringBuilder line = new StringBuilder();
        for (int column = 0; column < row.size(); column++) {
            String cell = row.get(column);
            line.append(cell).append(" ".repeat(widths[column] - cell.length())).append(GAP);
        }
        return line.toString().stripTrailing();
    }
}
