package dev.sluice.cli;

import java.util.ArrayList;
import java.util.List;

/** Text broken into lines at spaces; a word longer than a line is cut. */
public final class Wrapped {
    /** Stands for a space at which no line breaks. */
    public static final char HARD_SPACE = '\u00a0';

    private static final int FEW_WORDS = 20;

    private Wrapped() {}

    /** @return lines of at most {@code columns} characters, at least one; without control characters, which would move the cursor */
    public static List<String> lines(String text, int columns) {
        if (columns < 1) {
            throw new IllegalArgumentException("text cannot be wrapped to " + columns + " columns");
        }
        List<String> lines = new ArrayList<>();
        StringBuilder line = new StringBuilder();
        for (String word : text.strip().split("\\s+")) {
            String rest = word.replaceAll("\\p{Cntrl}", "?");
            if (!line.isEmpty() && line.length() + 1 + rest.length() > columns) {
                lines.add(line.toString());
                line.setLength(0);
            }
            if (!line.isEmpty()) {
                line.append(' ');
            }
            while (line.length() + rest.length() > columns) {
                lines.add(rest.substring(0, columns));
                rest = rest.substring(columns);
            }
            line.append(rest);
        }
        lines.add(line.toString());
        return lines.stream().map(each -> each.replace(HARD_SPACE, ' ')).toList();
    }

    /** The text after a label; its further lines begin below its first, where the label leaves room for a few words. */
    public static List<String> after(String label, String text, int columns) {
        if (columns - label.length() < FEW_WORDS) {
            return lines(label + text, columns);
        }
        List<String> lines = new ArrayList<>();
        for (String line : lines(text, columns - label.length())) {
            lines.add(((lines.isEmpty() ? label : " ".repeat(label.length())) + line).stripTrailing());
        }
        return lines;
    }
}
