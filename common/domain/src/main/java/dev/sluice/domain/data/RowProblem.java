package dev.sluice.domain.data;

/**
 * A line that cannot be used, and how many later ones cannot for the same reason.
 *
 * @param line its number in the file, from 1
 * @param alike further lines with this message
 * @param message what is wrong with it
 */
public record RowProblem(int line, int alike, String message) {
    @Override
    public String toString() {
        String others = alike == 0 ? "" : " and %d more".formatted(alike);
        return "line %d%s: %s".formatted(line, others, message);
    }
}
