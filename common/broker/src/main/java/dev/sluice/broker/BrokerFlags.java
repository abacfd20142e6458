package dev.sluice.broker;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The command line of {@link BrokerMain}.
 *
 * @param directory the broker's directory
 * @param port where clients connect; 0 for the port that the directory keeps
 * @param stateFile where {@code {pid, port, startTime}} is written once the broker is ready
 */
record BrokerFlags(Path directory, int port, @Nullable Path stateFile) {
    static final String USAGE = "usage: broker --dir DIRECTORY [--port PORT] [--state-file FILE]";
    private static final int MAXIMUM_PORT = 65_535;

    /** @throws IllegalArgumentException with every problem of the command line at once */
    static BrokerFlags parse(String... arguments) {
        List<String> problems = new ArrayList<>();
        Path directory = null;
        Path stateFile = null;
        int port = 0;
        for (int i = 0; i < arguments.length; i += 2) {
            String flag = arguments[i];
            if (i + 1 == arguments.length) {
                problems.add("'" + flag + "' needs a value");
                break;
            }
            String value = arguments[i + 1];
            switch (flag) {
                case "--dir" -> directory = Path.of(value);
                case "--state-file" -> stateFile = Path.of(value);
                case "--port" -> port = parsePort(value, problems);
                default -> problems.add("'" + flag + "' is unknown");
            }
        }
        if (directory == null) {
            problems.add("--dir is missing");
        }
        if (directory == null || !problems.isEmpty()) {
            throw new IllegalArgumentException(String.join("; ", problems) + "\n" + USAGE);
        }
        return new BrokerFlags(directory, port, stateFile);
    }

    private static int parsePort(String value, List<String> problems) {
        try {
            int port = Integer.parseInt(value);
            if (port >= 0 && port <= MAXIMUM_PORT) {
                return port;
            }
        } catch (NumberFormatException e) {
            // Reported below with what was given.
        }
        problems.add("--port must be from 0 to " + MAXIMUM_PORT + ", got '" + value + "'");
        return 0;
    }
}
