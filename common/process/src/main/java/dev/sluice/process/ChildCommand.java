package dev.sluice.process;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * What to start: a program with its arguments, never a line for a shell to interpret.
 *
 * @param arguments the program and its arguments
 * @param environment added to the parent's own environment; the caller takes the names from a closed list
 * @param workingDirectory an existing directory
 * @param logFile gets stdout and stderr, appended; its folder is created
 * @param life what ends the child when its parent dies
 */
public record ChildCommand(
        List<String> arguments, Map<String, String> environment, Path workingDirectory, Path logFile, Life life) {

    private static final Pattern ENVIRONMENT_NAME = Pattern.compile("[A-Za-z_][A-Za-z0-9_]{0,127}");
    private static final Set<String> OWN_NAMES = Set.of(LifeLine.ENVIRONMENT_NAME, Family.ENVIRONMENT_NAME);

    public ChildCommand {
        arguments = List.copyOf(arguments);
        environment = Map.copyOf(environment);
        if (arguments.isEmpty() || arguments.getFirst().isBlank()) {
            throw new IllegalArgumentException("A command needs a program as its first argument, got " + arguments);
        }
        for (String argument : arguments) {
            requireNoNul("The argument", argument);
        }
        environment.forEach((name, value) -> {
            if (!ENVIRONMENT_NAME.matcher(name).matches() || OWN_NAMES.contains(name)) {
                throw new IllegalArgumentException(
                        "The environment variable '" + name + "' cannot be set for a child process; use letters, digits"
                                + " and underscores, and none of " + OWN_NAMES);
            }
            requireNoNul("The environment variable " + name, value);
        });
    }

    /** A child that watches its own stdin; see {@link #withLife} for the other ways to live. */
    public static ChildCommand of(List<String> arguments, Path workingDirectory, Path logFile) {
        return new ChildCommand(arguments, Map.of(), workingDirectory, logFile, Life.STDIN);
    }

    public ChildCommand withEnvironment(Map<String, String> additions) {
        return new ChildCommand(arguments, additions, workingDirectory, logFile, life);
    }

    public ChildCommand withLife(Life other) {
        return new ChildCommand(arguments, environment, workingDirectory, logFile, other);
    }

    private static void requireNoNul(String what, String value) {
        if (value.indexOf('\0') >= 0) {
            throw new IllegalArgumentException(what + " holds a NUL character, which no process can be given");
        }
    }
}
