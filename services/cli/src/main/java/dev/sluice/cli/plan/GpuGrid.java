package dev.sluice.cli.plan;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/**
 * GPUs of a node side by side in a box. Neighbours with the same coordinate share a cell, so groups are seen as such.
 *
 * @param bands rows that belong together, each over the whole pool; a rule stands between bands
 * @param first GPU of the pool that is drawn
 * @param end GPU after the last
 * @param number of the first GPU in its node
 */
record GpuGrid(List<List<GridRow>> bands, int first, int end, int number) {
    private static final int WIDEST_CELL = 9;
    private static final int NARROWEST_CELL = 3;

    GpuGrid {
        bands = bands.stream().filter(band -> !band.isEmpty()).map(List::copyOf).toList();
    }

    /** @return lines of at most {@code columns}; where they do not fit side by side, GPUs stand in several boxes */
    List<String> lines(int columns) {
        int room = columns - labelWidth() - 1;
        int needed = 1 + Math.max(NARROWEST_CELL, 2 + longestCell());
        int boxes = Math.ceilDiv(end - first, Math.max(1, room / needed));
        int across = Math.ceilDiv(end - first, boxes);
        int cell = Math.clamp(room / across - 1, needed - 1, WIDEST_CELL);
        List<String> lines = new ArrayList<>();
        for (int from = first; from < end; from += across) {
            int to = Math.min(end, from + across);
            lines.addAll(new GpuGrid(bands, from, to, number + from - first).box(cell));
        }
        return lines;
    }

    private List<String> box(int cell) {
        GridRow numbers = GridRow.of("GPU", "", end, gpu -> gpu - first + number);
        List<String> lines = new ArrayList<>();
        lines.add(line("GPU", new Cells(numbers, first, end), cell, ' '));
        Cells above = Cells.NONE;
        for (List<GridRow> band : bands) {
            String group = "";
            for (GridRow row : band) {
                Cells cells = new Cells(row, first, end);
                if (row == band.getFirst()) {
                    lines.add(rule(above, cells, cell));
                }
                lines.add(line(label(row, group), cells, cell, '│'));
                group = row.group();
                above = cells;
            }
        }
        lines.add(rule(above, Cells.NONE, cell));
        return lines;
    }

    private String label(GridRow row, String groupAbove) {
        String group = row.group().equals(groupAbove) ? "" : row.group();
        return group + " ".repeat(groupWidth() - group.length() + 1) + row.dimension();
    }

    private String line(String label, Cells cells, int cell, char wall) {
        StringBuilder line = new StringBuilder(padded(label)).append(wall);
        boolean words = cells.fit(cell);
        for (Cells.Run run : cells.runs()) {
            String text = words ? run.words() : run.text();
            int room = run.width(cell) - text.length();
            line.append(" ".repeat(room / 2)).append(text).append(" ".repeat(room - room / 2));
            line.append(wall);
        }
        return line.toString();
    }

    private String rule(Cells above, Cells below, int cell) {
        StringBuilder line = new StringBuilder(padded(""));
        for (int gpu = 0; gpu <= end - first; gpu++) {
            line.append(joint(gpu, above, below));
            if (gpu < end - first) {
                line.append("─".repeat(cell));
            }
        }
        return line.toString();
    }

    private char joint(int gpu, Cells above, Cells below) {
        boolean up = above.wall(gpu);
        boolean down = below.wall(gpu);
        if (gpu == 0) {
            return up && down ? '├' : up ? '└' : '┌';
        }
        if (gpu == end - first) {
            return up && down ? '┤' : up ? '┘' : '┐';
        }
        return up && down ? '┼' : up ? '┴' : down ? '┬' : '─';
    }

    private String padded(String label) {
        return label + " ".repeat(labelWidth() - label.length());
    }

    private int labelWidth() {
        return groupWidth() + 4;
    }

    private int groupWidth() {
        return rows().mapToInt(row -> row.group().length()).max().orElse(0);
    }

    private int longestCell() {
        return rows().flatMap(row -> row.values().stream())
                .mapToInt(value -> value.toString().length())
                .max()
                .orElse(1);
    }

    private Stream<GridRow> rows() {
        return bands.stream().flatMap(List::stream);
    }
}
