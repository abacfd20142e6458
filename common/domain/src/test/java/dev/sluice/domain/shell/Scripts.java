package dev.sluice.domain.shell;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Scripts for tests: texts, and files beside the tests. */
public final class Scripts {
    public static final String FOLDER = "/scripts/shell";

    private Scripts() {}

    /** The script's reading, whose sourced files are those beside the tests. */
    public static ShellReading read(String text) {
        return read(text, Map.of());
    }

    public static ShellReading read(String text, Map<String, String> environment) {
        return ShellReader.read(
                new ShellScript("run.sh", FOLDER, text),
                environment,
                path -> path.startsWith(FOLDER + "/")
                        ? find(Scripts.class, path.substring(FOLDER.length() + 1))
                        : Optional.empty());
    }

    /** The first command of this name. */
    public static Command command(ShellReading reading, String program) {
        return reading.commands().stream()
                .filter(command -> command.program().equals(program))
                .findFirst()
                .orElseThrow();
    }

    public static List<String> texts(Command command) {
        return command.arguments().stream().map(Field::text).toList();
    }

    /** A file beside the tests of a class. */
    public static Optional<String> find(Class<?> beside, String name) {
        try (InputStream file = beside.getResourceAsStream(name)) {
            return file == null
                    ? Optional.empty()
                    : Optional.of(new String(file.readAllBytes(), StandardCharsets.UTF_8));
        } catch (IOException e) {
            throw new UncheckedIOException(name, e);
        }
    }

    /** Words that bash wrote down, one a line, with escapes for line ends, tabs and backslashes. */
    public static List<String> words(Class<?> beside, String name) {
        return find(beside, name)
                .orElseThrow()
                .lines()
                .map(line -> line.replace("\\n", "\n").replace("\\t", "\t").replace("\\\\", "\\"))
                .toList();
    }
}
