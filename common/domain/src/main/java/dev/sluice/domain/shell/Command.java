package dev.sluice.domain.shell;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A command that the script would run.
 *
 * @param arguments the program first, then its arguments
 * @param environment variables set for this command alone
 * @param place where the command begins
 */
public record Command(List<Field> arguments, Map<String, Field> environment, Place place) {
    public Command {
        arguments = List.copyOf(arguments);
        environment = Collections.unmodifiableMap(new LinkedHashMap<>(environment));
    }

    /** The program's name; empty where it is not known. */
    public String program() {
        return arguments.isEmpty() || !arguments.getFirst().known()
                ? ""
                : arguments.getFirst().text();
    }
}
