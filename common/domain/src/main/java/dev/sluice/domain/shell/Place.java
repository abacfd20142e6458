package dev.sluice.domain.shell;

/**
 * A line of a script.
 *
 * @param file the script's name as messages show it
 * @param line counted from 1
 */
public record Place(String file, int line) {
    @Override
    public String toString() {
        return file + ":" + line;
    }
}
