package dev.sluice.domain.model;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/**
 * slime's recipes, one row each, with parameter counts that agree with the published sizes.
 *
 * @param values by column
 */
record Recipes(Map<String, String> values) {

    static List<Recipes> all() {
        InputStream file = Recipes.class.getResourceAsStream("/dev/sluice/domain/recipes/slime-recipes.csv");
        try (BufferedReader lines =
                new BufferedReader(new InputStreamReader(Objects.requireNonNull(file), StandardCharsets.UTF_8))) {
            List<String> columns = cells(lines.readLine());
            return lines.lines().map(line -> row(columns, cells(line))).toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    String text(String column) {
        return Objects.requireNonNull(values.get(column), column);
    }

    /** 0 where the cell is empty. */
    int whole(String column) {
        return text(column).isEmpty() ? 0 : Integer.parseInt(text(column));
    }

    @Override
    public String toString() {
        return text("script");
    }

    private static Recipes row(List<String> columns, List<String> cells) {
        Map<String, String> values = new HashMap<>();
        for (int i = 0; i < columns.size(); i++) {
            values.put(columns.get(i), cells.get(i));
        }
        return new Recipes(values);
    }

    private static List<String> cells(String line) {
        List<String> cells = new ArrayList<>();
        StringBuilder cell = new StringBuilder();
        boolean quoted = false;
        for (char character : line.toCharArray()) {
            if (character == '"') {
                quoted = !quoted;
            } else if (character == ',' && !quoted) {
                cells.add(cell.toString());
                cell.setLength(0);
            } else {
                cell.append(character);
            }
        }
        cells.add(cell.toString());
        return cells;
    }
}
