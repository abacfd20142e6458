package dev.sluice.cli.deploy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collection;
import java.util.List;
import java.util.Set;

/** A service as the build packaged it, for the files that deploy it. */
record PackagedService(String name) {
    static final Path ROOT = Path.of(System.getProperty("sluice.root"));
    static final List<String> ALL = List.of("planner", "converter", "rollout", "trainer", "dashboard");

    /** Of these variables, the ones of Sluice that the service does not understand. */
    List<String> misunderstood(Collection<String> variables) throws IOException {
        Set<String> known = ServiceKeys.variables(directory());
        return variables.stream()
                .filter(variable -> variable.startsWith("SLUICE_") && !known.contains(variable))
                .toList();
    }

    Path jar() {
        return directory().resolve("quarkus-run.jar");
    }

    /** The main class at the end of a command as a variable holds it. */
    static Path mainOf(String command) {
        String main = command.substring(command.lastIndexOf(',') + 1).strip();
        return ROOT.resolve("services/cpu-backend/target/classes/" + main.replace('.', '/') + ".class");
    }

    static String dockerfile() throws IOException {
        return Files.readString(ROOT.resolve("deploy/images/Dockerfile"));
    }

    private Path directory() {
        return ROOT.resolve("services/" + name + "/target/quarkus-app");
    }
}
