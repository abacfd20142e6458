package dev.sluice.domain.data;

/**
 * A line that cannot be used.
 *
 * @param line its number in the file, from 1
 * @param message what is wrong with it
 */
public record RowProblem(int line, String message) {
    @Override
    public String toString() {
        return "line %d: %s".formatted(line, message);
    }
}
