package dev.sluice.domain.shell;

/**
 * A script to read.
 *
 * @param name its file's name, for messages and for {@code $0}
 * @param folder the folder it lies in, as {@code dirname "$0"} would give it
 */
public record ShellScript(String name, String folder, String text) {
    String path() {
        return folder.isEmpty() ? name : folder + "/" + name;
    }
}
