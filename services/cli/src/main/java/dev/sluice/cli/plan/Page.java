package dev.sluice.cli.plan;

import dev.sluice.cli.TextTable;
import dev.sluice.cli.Wrapped;
import java.util.ArrayList;
import java.util.List;

/** The lines of a page, none longer than its width. */
final class Page {
    /** A narrower terminal breaks the lines itself. */
    static final int MIN_COLUMNS = 60;
    /** Longer lines are tiring to read. */
    static final int MAX_COLUMNS = 100;

    private static final String INDENT = "  ";
    private static final int LABEL = 14;

    private final int columns;
    private final List<String> lines = new ArrayList<>();

    /** @param columns of the terminal */
    Page(int columns) {
        this.columns = Math.clamp(columns, MIN_COLUMNS, MAX_COLUMNS);
    }

    /** Characters for what stands after a short label. */
    int room() {
        return room("");
    }

    /** Characters for what stands after this label. */
    int room(String label) {
        return width() - Math.max(LABEL, label.length() + 1);
    }

    /** Characters for what stands under a heading. */
    int width() {
        return columns - INDENT.length();
    }

    void title(String text) {
        lines.addAll(Wrapped.lines(text, columns));
    }

    void heading(String text) {
        lines.add("");
        lines.add(text + " " + "─".repeat(columns - text.length() - 1));
    }

    void gap() {
        lines.add("");
    }

    /** Text that is wrapped. */
    void text(String text) {
        entry("", "", text);
    }

    /** A label and its text. */
    void entry(String label, String text) {
        entry(label, " ".repeat(Math.max(1, LABEL - label.length())), text);
    }

    /** A short mark, such as a number of a list, and its text. */
    void item(String mark, String text) {
        entry(mark, " ", text);
    }

    private void entry(String label, String space, String text) {
        lines.addAll(Wrapped.after(INDENT + label + space, text, columns));
    }

    /** Lines that are drawn already and keep within {@link #width}. */
    void drawn(List<String> drawing) {
        drawing.forEach(line -> lines.add((INDENT + line).stripTrailing()));
    }

    void table(TextTable table) {
        drawn(table.lines(width()));
    }

    String text() {
        return String.join("\n", lines);
    }
}
